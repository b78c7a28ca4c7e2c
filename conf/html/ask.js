/*
 * How scripts of the pages ask the server: with an end to the waiting, and
 * never by throwing.  Nothing is kept in the browser but, in memory, the ids
 * of what was asked last, for whoever reports a problem.
 */

const ANSWER_MS = 20000;
const REMEMBERED = 10;

/* Ids of the last requests, the newest last. */
export const asked = [];

/* One key for what was not answered yet: a repeat counts once. */
const keys = new Map();

function read(text) {
    try {
        return JSON.parse(text) || {};
    } catch (error) {
        return {};
    }
}

function remember(id) {
    if (id && !asked.includes(id)) {
        asked.push(id);
        asked.splice(0, asked.length - REMEMBERED);
    }
}

function makeKey() {
    return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) =>
        byte.toString(16).padStart(2, '0')).join('');
}

/*
 * {status, body, wait: seconds of Retry-After}; status 0: nobody there, 503
 * also: no answer in time.
 */
export async function ask(method, url, value, key) {
    const abort = new AbortController();
    const timer = setTimeout(() => abort.abort(), ANSWER_MS);
    const headers = { Accept: 'application/json' };

    if (value) {
        headers['Content-Type'] = 'application/json';
    }
    if (key) {
        headers['Idempotency-Key'] = key;
    }
    try {
        const reply = await fetch(url, { method, headers, cache: 'no-store',
            signal: abort.signal, body: value && JSON.stringify(value) });

        remember(reply.headers.get('X-Request-Id'));
        return { status: reply.status, body: read(await reply.text()),
            wait: Number(reply.headers.get('Retry-After')) || 0 };
    } catch (error) {
        return { status: abort.signal.aborted ? 503 : 0, body: {}, wait: 0 };
    } finally {
        clearTimeout(timer);
    }
}

/*
 * A POST that may be made again: the same request has the same key until it
 * was answered, so what the server has done once it does not do again.
 */
export async function send(url, value) {
    const what = url + JSON.stringify(value);
    const key = keys.get(what) || makeKey();

    keys.set(what, key);
    const reply = await ask('POST', url, value, key);

    if (reply.status > 0 && reply.status < 500) {
        keys.delete(what);
    }
    return reply;
}

/* The last word of a problem's type: "code-mismatch". */
export function problemOf(reply) {
    return String(reply.body.type || '').split(':').pop();
}
