'use strict';

/*
 * The outside world in one process: a mail server that keeps what it gets, a
 * CPA network that remembers every postback, gateways of SMS and calls
 * (gateways.js), somebody who checks persons (identity.js), with a page to
 * watch them.
 *
 *   node world.js [--smtp PORT] [--http PORT] [--host ADDRESS]
 *                 [--landing URL] [--keep COUNT]
 *
 * Port 0 (the default) is any free one; the first line of the output is JSON
 * with the ports chosen.  Ends on SIGTERM, SIGINT and when stdin closes.
 *
 *   GET    /               the page
 *   any    /postback...    a CPA network, which answers 200 "ok"
 *   any    /gateway/...    SMS and calls: see gateways.js, with its own API
 *   any    /identity/...   persons are checked: see identity.js, the same
 *   GET    /api/mail       letters, oldest first; ?to=SUBSTRING
 *   GET    /api/postbacks  postbacks, oldest first; ?click_id=ID
 *   GET    /api/all        all of it, and the faults in force; ?after=NUMBER
 *   DELETE /api/all        forget everything that came, and the faults
 *   POST   /api/faults     what goes wrong from now on; {} for nothing
 *   GET    /mail/N.html    the HTML part of a letter
 *
 * Faults, all optional:
 *   {"postback": {"script": [500, {"status": 429, "headers": {}, "body": ""},
 *                            "drop", "hang"],   answers to the next requests
 *                 "rate500": 0.1, "drop": 0.1,  shares; any status rateNNN
 *                 "delay_ms": 50, "body": "ok"},
 *    "smtp": {"reject": {"part of address": "550 5.1.1 no such user"},
 *             "script": ["451 4.7.1 later"],    replies to the next RCPT
 *             "data": "452 4.3.1 disk full", "delay_ms": 50},
 *    "gateway": [rule, ...],                    see gateways.js
 *    "identity": [rule, ...]}                   see identity.js
 */

const fs = require('fs');
const http = require('http');
const path = require('path');
const { SMTPServer } = require('smtp-server');
const { simpleParser } = require('mailparser');
const gateways = require('./gateways');
const identity = require('./identity');

const BODY_MAX = 1024 * 1024;
const LETTER_MAX = 10 * 1024 * 1024;

const options = readOptions(process.argv.slice(2));
const state = { number: 0, epoch: 1, mail: [], postbacks: [],
    keys: new Set(), faults: {} };

function readOptions(args) {
    const known = { smtp: '0', http: '0', host: '127.0.0.1', landing: '',
        keep: '20000' };

    for (let i = 0; i < args.length; i += 2) {
        const name = args[i].replace(/^--/, '');
        if (!(name in known) || args[i + 1] === undefined) {
            console.error(`world: unknown option or no value: ${args[i]}`);
            process.exit(2);
        }
        known[name] = args[i + 1];
    }
    return known;
}

function keep(list, item) {
    state.number += 1;
    item.number = state.number;
    list.push(item);
    if (list.length > Number(options.keep)) {
        list.shift();
    }
}

function pause(ms) {
    return new Promise((done) => {
        setTimeout(done, ms || 0);
    });
}

gateways.join({ state, keep, pause });
identity.join({ state, keep, pause });

/* --- mail ---------------------------------------------------------------- */

/* "550 5.1.1 text" as the error that smtp-server answers with */
function refusal(reply) {
    const error = new Error(String(reply).slice(4) || 'refused');

    error.responseCode = Number(String(reply).slice(0, 3)) || 550;
    return error;
}

function rejection(address) {
    const faults = state.faults.smtp || {};
    const part = Object.keys(faults.reject || {}).find(
        (text) => address.toLowerCase().includes(text.toLowerCase()));

    if (part !== undefined) {
        return faults.reject[part];
    }
    return (faults.script || []).shift();
}

function onRcptTo(address, session, done) {
    const reply = rejection(address.address);

    pause((state.faults.smtp || {}).delay_ms).then(() => {
        done(reply ? refusal(reply) : null);
    });
}

function headersOf(parsed) {
    return parsed.headerLines.map((header) => {
        const colon = header.line.indexOf(':');
        return {
            name: header.line.slice(0, colon),
            value: header.line.slice(colon + 1).trim(),
        };
    });
}

async function takeLetter(raw, session) {
    const parsed = await simpleParser(raw, { skipTextToHtml: true,
        skipTextLinks: true });
    const text = parsed.text || '';

    keep(state.mail, {
        at: new Date().toISOString(),
        from: session.envelope.mailFrom ? session.envelope.mailFrom.address
            : '',
        to: session.envelope.rcptTo.map((rcpt) => rcpt.address),
        from_header: parsed.from ? parsed.from.text : '',
        subject: parsed.subject || '',
        message_id: parsed.messageId || '',
        headers: headersOf(parsed),
        text,
        html: parsed.html || '',
        links: text.match(/https?:\/\/[^\s<>"]+/g) || [],
        raw: raw.toString('latin1'),
    });
}

function onData(stream, session, done) {
    const chunks = [];
    const reply = (state.faults.smtp || {}).data;

    stream.on('data', (chunk) => chunks.push(chunk));
    stream.on('end', () => {
        if (stream.sizeExceeded) {
            done(refusal('552 5.3.4 message too large'));

        } else if (reply) {
            done(refusal(reply));

        } else {
            takeLetter(Buffer.concat(chunks), session).then(() => done(),
                (error) => done(refusal(`554 5.6.0 ${error.message}`)));
        }
    });
}

const mailServer = new SMTPServer({
    banner: 'sandbox',
    authOptional: true,
    disabledCommands: ['AUTH', 'STARTTLS'],
    disableReverseLookup: true,
    size: LETTER_MAX,
    maxClients: 1000,
    socketTimeout: 600000, /* pauses of a slow machine end no connection */
    logger: false,
    onRcptTo,
    onData,
});

/* --- the CPA network ----------------------------------------------------- */

/* The answer to the next postback: from the script, by chance, or 200. */
function nextAnswer() {
    const faults = state.faults.postback || {};
    let chance = Math.random();

    if (faults.script && faults.script.length > 0) {
        const step = faults.script.shift();
        return typeof step === 'object' ? step : { status: step };
    }
    for (const name of Object.keys(faults)) {
        const share = name === 'drop' || name.startsWith('rate')
            ? Number(faults[name]) : 0;
        if (chance < share) {
            return { status: name === 'drop' ? 'drop'
                : Number(name.slice(4)) };
        }
        chance -= share;
    }
    return { status: 200 };
}

async function onPostback(request, response, url, body) {
    const faults = state.faults.postback || {};
    const answer = nextAnswer();
    const key = request.headers['idempotency-key'] || '';

    keep(state.postbacks, {
        at: new Date().toISOString(),
        method: request.method,
        path: url.pathname,
        query: Object.fromEntries(url.searchParams),
        headers: request.headers,
        body,
        idempotency_key: key,
        repeat: state.keys.has(key),
        answered: answer.status,
    });
    if (key !== '') {
        state.keys.add(key);
    }
    await pause(faults.delay_ms);
    if (answer.status === 'drop') {
        request.socket.destroy();

    } else if (answer.status !== 'hang') {
        const text = answer.body !== undefined ? answer.body
            : answer.status < 300 ? faults.body || 'ok' : 'sandbox fault';
        response.writeHead(answer.status,
            { 'content-type': 'text/plain', ...answer.headers });
        response.end(text);
    }
}

/* --- the page and the API ------------------------------------------------ */

function sendJson(response, status, value) {
    response.writeHead(status, { 'content-type': 'application/json',
        'cache-control': 'no-store' });
    response.end(JSON.stringify(value));
}

function onApi(request, response, url, body) {
    const what = `${request.method} ${url.pathname}`;
    const after = Number(url.searchParams.get('after') || 0);
    const newer = (item) => item.number > after;

    if (what === 'GET /api/mail') {
        const to = url.searchParams.get('to') || '';
        return sendJson(response, 200, state.mail.filter((letter) => newer(
            letter) && letter.to.join(' ').includes(to)));
    }
    if (what === 'GET /api/postbacks') {
        const id = url.searchParams.get('click_id');
        return sendJson(response, 200, state.postbacks.filter((postback) =>
            newer(postback) && (id === null || postback.query.click_id === id)));
    }
    if (what === 'GET /api/all') {
        return sendJson(response, 200, { epoch: state.epoch,
            landing: options.landing, faults: state.faults,
            mail: state.mail.filter(newer).map(({ raw, ...rest }) => rest),
            postbacks: state.postbacks.filter(newer),
            sends: state.sends.filter(newer),
            receipts: state.receipts.filter(newer) });
    }
    if (what === 'DELETE /api/all') {
        state.mail = [];
        state.postbacks = [];
        state.keys.clear();
        gateways.clear();
        identity.clear();
        state.faults = {};
        state.epoch += 1;
        return sendJson(response, 200, {});
    }
    if (what === 'POST /api/faults') {
        try {
            state.faults = JSON.parse(body || '{}');
        } catch (error) {
            return sendJson(response, 400, { error: error.message });
        }
        return sendJson(response, 200, state.faults);
    }
    return onGatewayApi(what, response, url, body);
}

async function onGatewayApi(what, response, url, body) {
    try {
        const value = await (gateways.onApi(what, url, body)
            || identity.onApi(what, url, body));

        sendJson(response, value ? 200 : 404,
            value || { error: 'no such thing' });
    } catch (error) {
        sendJson(response, 400, { error: error.message });
    }
}

function sendPage(response) {
    response.writeHead(200, { 'content-type': 'text/html; charset=utf-8',
        'cache-control': 'no-store', 'referrer-policy': 'no-referrer' });
    response.end(fs.readFileSync(path.join(__dirname, 'world.html')));
}

/* A letter is shown as a careful mail program does: no script, no images. */
function sendLetter(response, number) {
    const letter = state.mail.find((item) => item.number === number);

    if (!letter) {
        return sendJson(response, 404, { error: 'no such letter' });
    }
    response.writeHead(200, {
        'content-type': 'text/html; charset=utf-8',
        'content-security-policy': "default-src 'none'; "
            + "style-src 'unsafe-inline'; img-src data:; sandbox "
            + 'allow-popups allow-popups-to-escape-sandbox',
        'referrer-policy': 'no-referrer',
    });
    return response.end(letter.html.replace(/<head>/i,
        '<head><base target="_blank">'));
}

function route(request, response, body) {
    const url = new URL(request.url, 'http://world');
    const letter = /^\/mail\/(\d+)\.html$/.exec(url.pathname);

    if (url.pathname.startsWith('/postback')) {
        return onPostback(request, response, url, body);
    }
    if (/^\/gateway\/[^/]/.test(url.pathname)) {
        return gateways.onRequest(request, response, url, body);
    }
    if (/^\/identity\/[^/]/.test(url.pathname)) {
        return identity.onRequest(request, response, url, body);
    }
    if (url.pathname.startsWith('/api/')) {
        return onApi(request, response, url, body);
    }
    if (letter) {
        return sendLetter(response, Number(letter[1]));
    }
    if (url.pathname === '/') {
        return sendPage(response);
    }
    return sendJson(response, 404, { error: 'no such page' });
}

const httpServer = http.createServer((request, response) => {
    const chunks = [];
    let size = 0;

    request.on('error', () => {});
    request.on('data', (chunk) => {
        size += chunk.length;
        if (size > BODY_MAX) {
            request.destroy();

        } else {
            chunks.push(chunk);
        }
    });
    request.on('end', () => {
        Promise.resolve(route(request, response,
            Buffer.concat(chunks).toString())).catch((error) => {
            console.error(`world: ${error.message}`);
            response.destroy();
        });
    });
});

/* --- life ---------------------------------------------------------------- */

/* Fails when the port is taken; later errors are a client's trouble. */
function listen(server, port) {
    return new Promise((done, fail) => {
        server.on('error', fail);
        server.listen(Number(port), options.host, done);
    });
}

async function main() {
    await listen(mailServer, options.smtp);
    await listen(httpServer, options.http);
    const ports = { smtp: mailServer.server.address().port,
        http: httpServer.address().port };
    process.stdout.write(`${JSON.stringify({ ...ports,
        url: `http://${options.host}:${ports.http}/` })}\n`);

    const end = () => process.exit(0);
    process.on('SIGTERM', end);
    process.on('SIGINT', end);
    process.stdin.on('end', end);
    process.stdin.on('close', end);
    process.stdin.resume();
}

main().catch((error) => {
    console.error(`world: ${error.message}`);
    process.exit(1);
});
