'use strict';

/*
 * Gateways of SMS, calls and messengers, for world.js: they take whatever
 * looks like a message, keep it, and send receipts by themselves.
 *
 *   any  /gateway/NAME...          a message or a call; fields of the query, a
 *                                  form or JSON, by the names in use
 *   any  /gateway/NAME/.../status  what became of one, or any other path that
 *                                  gateways in use have for that (POLL); id in
 *                                  the path or among the fields
 *   GET  /api/sends      what they got, oldest first; ?gateway=NAME, ?phone=79..
 *   GET  /api/receipts   the receipts they sent, and what the site answered
 *   POST /api/gateways   {"NAME": {...}, ...} who they are, from now on
 *   POST /api/receipt    {"send": NUMBER, "state": "delivered", ...} one more
 *                        receipt, with the keys of "receipts" below; the
 *                        answer has what the site said
 *
 * A gateway, all optional (a name nobody has told of is a generic gateway
 * without receipts):
 *   {"shape": "smsc",                  whose words it speaks: see shapes.js
 *    "channel": "call",                for those who watch: sms call messenger
 *    "receipts": "http://site/v1/receipts/NAME/SECRET",
 *    "method": "GET",                  of its receipts; POST
 *    "secret": "...",                  what it signs receipts with
 *    "states": ["sent", "delivered"],  what it reports of a message
 *    "pause_ms": 50,                   before each report
 *    "idempotent": true}               a repeated key: the same answer, and
 *                                      nothing is sent
 *
 * Faults, {"gateway": [rule, ...]} of /api/faults.  Of the rules that fit a
 * message the first applies; the query of a request may be one, too
 * (?does=429&retry_after=7):
 *   {"gateway": "NAME", "phone": "7916", "text": "part of it",
 *    "times": 1,            for so many messages; for all
 *    "delay_ms": 300,       before the answer
 *    "does": 429,           a status, or
 *                             "ok"       takes it
 *                             "hang"     takes it and never answers
 *                             "reset"    takes it and cuts the connection
 *                             "half"     takes it, half of an answer
 *                             "garbage"  takes it, what is no JSON in a 200
 *                             "refuse"   does not take it, says so in a 200
 *    "body": "...", "retry_after": 7,
 *    "taken": false,        whether it reaches the person; as told above, and
 *                           not with a status
 *    "code": "4821",        the digits of a number that the gateway chooses
 *    "receipts": {"states": ["delivered", "sent"], "error": 25,
 *                 "delay_ms": 3000,     before the first one
 *                 "copies": 2,          of each
 *                 "forged": "secret"}}  wrong: secret (of the path), id,
 *                                       signature
 */

const { randomInt } = require('crypto');
const shapes = require('./shapes');

const STATES = ['sent', 'delivered'];
const PAUSE_MS = 50;
const TRIES = 8;
const TRY_PAUSE_MS = 250;
const POLL = /\/(status(\.php)?|getInfo|State|checkVerificationStatus)(\/|$)|\/Messages\/\w+\.json$/;
const NAMES = {
    phone: /^(phones?|to|number|phone_?number|msisdn|recipient|destination(address|number)?)$/i,
    text: /^(mes|message|text|msg|body|data|content)$/i,
    code: /^(code|pin)$/i,
    key: /^(unique|our_?id|external_?id|client_?id|send(_?id)?|payload)$/i,
    id: /^(id|sid|sms_?id|message_?id|messagesid|uid|call_?id|request_?id|provider_?id|message)$/i,
};

const state = { gateways: {}, keys: new Map(), ids: 0 };
let world;

/* world: {state, keep(list, item), pause(ms)}; its state has lists of ours. */
function join(with_world) {
    world = with_world;
    world.state.sends = [];
    world.state.receipts = [];
}

function clear() {
    world.state.sends = [];
    world.state.receipts = [];
    state.keys.clear();
}

/* --- what a request says ------------------------------------------------- */

/* [[name, text], ...] of all that is in a value, at whatever depth. */
function leaves(value, name, into) {
    if (value !== null && typeof value === 'object') {
        Object.entries(value).forEach(([key, inner]) => leaves(inner,
            Array.isArray(value) ? name : key, into));

    } else {
        into.push([name, String(value)]);
    }
    return into;
}

function fieldsOf(request, url, body) {
    const type = request.headers['content-type'] || '';
    const fields = [...url.searchParams];

    if (/json/.test(type)) {
        try {
            leaves(JSON.parse(body), '', fields);
        } catch (error) {
            fields.push(['', body]);
        }

    } else if (/urlencoded/.test(type)) {
        fields.push(...new URLSearchParams(body));
    }
    return fields;
}

function find(fields, what, fits) {
    const found = fields.find(([name, value]) => NAMES[what].test(name)
        && (!fits || fits.test(value)));

    return found ? found[1] : '';
}

function messageOf(request, url, body) {
    const fields = fieldsOf(request, url, body);
    const text = find(fields, 'text');

    return {
        phone: find(fields, 'phone', /^\+?\d{10,15}$/).replace('+', ''),
        text,
        code: find(fields, 'code', /^\d+$/)
            || (text.match(/(?<!\d)\d{4,8}(?!\d)/) || [''])[0],
        echo: find(fields, 'key'),
        key: request.headers['idempotency-key'] || find(fields, 'key'),
    };
}

/* --- rules --------------------------------------------------------------- */

function ruleFor(name, message, url) {
    const rule = (world.state.faults.gateway || []).find((one) =>
        (one.times === undefined || one.times > 0)
        && (!one.gateway || one.gateway === name)
        && message.phone.includes(one.phone || '')
        && message.text.includes(one.text || ''));

    if (rule && rule.times) {
        rule.times -= 1;
    }
    if (rule || !url.searchParams.has('does')) {
        return rule || {};
    }
    const asked = Object.fromEntries(url.searchParams);
    return { does: Number(asked.does) || asked.does,
        retry_after: asked.retry_after, delay_ms: Number(asked.delay_ms) };
}

function isTaken(rule) {
    if (rule.taken !== undefined) {
        return rule.taken;
    }
    return typeof rule.does !== 'number' && rule.does !== 'refuse';
}

/* --- answers ------------------------------------------------------------- */

function sendText(response, status, text, headers) {
    response.writeHead(status, { 'content-type': 'application/json',
        ...headers });
    response.end(text);
}

function reset(response) {
    if (response.socket.resetAndDestroy) {
        response.socket.resetAndDestroy();

    } else {
        response.socket.destroy();
    }
}

function half(response, text) {
    response.writeHead(200, { 'content-type': 'application/json',
        'content-length': text.length });
    response.write(text.slice(0, text.length / 2));
    setImmediate(() => response.destroy());
}

function answer(response, shape, send, rule) {
    const text = rule.body !== undefined ? rule.body
        : JSON.stringify(shape.answer(send));
    const acts = {
        hang: () => {},
        reset: () => reset(response),
        half: () => half(response, text),
        garbage: () => sendText(response, 200, `${text.slice(0, -2)},`),
        refuse: () => sendText(response, 200,
            JSON.stringify(shape.refuse(send))),
    };

    if (acts[rule.does]) {
        acts[rule.does]();

    } else if (typeof rule.does === 'number') {
        sendText(response, rule.does, rule.body || '{"error":"sandbox"}',
            rule.retry_after ? { 'retry-after': rule.retry_after } : {});

    } else {
        sendText(response, shape.status || 200, text);
    }
}

/* --- messages ------------------------------------------------------------ */

function newSend(name, request, url, body) {
    const gateway = state.gateways[name] || {};
    const shape = shapes[gateway.shape || 'generic'];
    const send = { at: new Date().toISOString(), gateway: name,
        channel: gateway.channel || (shape.chooses ? 'call' : 'sms'),
        shape: gateway.shape || 'generic', method: request.method,
        path: url.pathname, query: Object.fromEntries(url.searchParams),
        headers: request.headers, body, ...messageOf(request, url, body) };
    const first = state.keys.get(`${name} ${send.key}`);

    send.repeat = first !== undefined;
    send.same = send.repeat && gateway.idempotent === true;
    send.chosen = shape.chooses === true;
    if (send.chosen) {
        send.code = String(randomInt(10000)).padStart(4, '0');
    }
    if (send.same) {
        send.id = first.id;
        send.code = first.code;

    } else {
        send.id = shape.id(state.ids += 1);
    }
    if (send.key && !send.repeat) {
        state.keys.set(`${name} ${send.key}`, send);
    }
    return send;
}

async function onMessage(name, request, response, url, body) {
    const gateway = state.gateways[name] || {};
    const shape = shapes[gateway.shape || 'generic'];
    const send = newSend(name, request, url, body);
    const rule = ruleFor(name, send, url);

    if (!send.phone) {
        return sendText(response, 400, '{"error":"no phone"}');
    }
    send.taken = isTaken(rule) && !send.same;
    send.answered = rule.does || 'ok';
    if (send.chosen && rule.code) {
        send.code = rule.code;
    }
    world.keep(world.state.sends, send);
    await world.pause(rule.delay_ms);
    answer(response, shape, send, rule);
    return send.taken || (rule.receipts && rule.receipts.forged)
        ? report(send, rule.receipts || {}) : undefined;
}

/* The last that was reported of a message, in the gateway's words. */
function onStatus(name, request, response, url, body) {
    const [, last] = /([\w-]+)(\.json)?$/.exec(url.pathname) || [];
    const id = find(fieldsOf(request, url, body), 'id') || last;
    const send = world.state.sends.find((one) => one.gateway === name
        && String(one.id) === id);

    if (!send) {
        return sendText(response, 404, '{"error":"no such message"}');
    }
    const shape = shapes[send.shape];
    const is = tale(send, send.state || 'queued', {});
    return sendText(response, 200, JSON.stringify(shape.poll
        ? shape.poll(send, is) : shape.receipt(send, is).fields));
}

/* --- receipts ------------------------------------------------------------ */

function tale(send, is, order) {
    return { state: is, word: shapes[send.shape].words[is],
        error: order.error, at: Date.now(),
        secret: (state.gateways[send.gateway] || {}).secret || '' };
}

/* {url, init} for fetch of a receipt as ordered. */
function receiptOf(send, is, order) {
    const gateway = state.gateways[send.gateway];
    const shape = shapes[send.shape];
    const about = order.forged === 'id' ? { ...send, id: shape.id(9e6),
        key: '00000000-0000-4000-8000-000000000000' } : send;
    const told = tale(send, is, order);
    const url = order.forged === 'secret' ? gateway.receipts.replace(
        /[^/]+$/, (text) => text.replace(/./g, 'x')) : gateway.receipts;

    if (order.forged === 'signature') {
        told.secret += ' guessed';
    }
    const { type, fields, headers } = shape.receipt(about, told, url);
    const form = String(new URLSearchParams(fields));
    if (gateway.method === 'GET') {
        return { url: `${url}?${form}`, init: { headers } };
    }
    return { url, init: { method: 'POST', headers: { ...headers,
        'content-type': type === 'json' ? 'application/json'
            : 'application/x-www-form-urlencoded' },
    body: type === 'json' ? JSON.stringify(fields) : form } };
}

/* As gateways do, again while nobody is there or the site says 5xx. */
async function deliver(send, is, order) {
    const { url, init } = receiptOf(send, is, order);
    const receipt = { at: new Date().toISOString(), gateway: send.gateway,
        send: send.number, state: is, forged: order.forged || null,
        body: init.body || url, status: 0, reply: '' };

    for (let i = 0; i < TRIES && (!receipt.status || receipt.status >= 500);
        i += 1)
    {
        await world.pause(i && TRY_PAUSE_MS);
        try {
            const reply = await fetch(url, init);

            receipt.status = reply.status;
            receipt.reply = await reply.text();
        } catch (error) {
            receipt.reply = error.message;
        }
    }
    if (!order.forged) {
        send.state = is;
    }
    world.keep(world.state.receipts, receipt);
    return receipt;
}

async function report(send, order) {
    const gateway = state.gateways[send.gateway];

    if (!gateway || !gateway.receipts) {
        return;
    }
    await world.pause(order.delay_ms);
    for (const is of order.states || gateway.states || STATES) {
        await world.pause(gateway.pause_ms === undefined ? PAUSE_MS
            : gateway.pause_ms);
        for (let i = 0; i < (order.copies || 1); i += 1) {
            await deliver(send, is, order);
        }
    }
}

/* --- API ----------------------------------------------------------------- */

/* Who they are; throws when a shape is unknown. */
function setGateways(all) {
    for (const [name, gateway] of Object.entries(all)) {
        if (!shapes[gateway.shape || 'generic']) {
            throw new Error(`${name}: no shape ${gateway.shape}`);
        }
    }
    state.gateways = all;
    return all;
}

async function orderReceipt(order) {
    const send = world.state.sends.find((one) => one.number === order.send);

    if (!send || !state.gateways[send.gateway]
        || !state.gateways[send.gateway].receipts)
    {
        throw new Error('no such message, or its gateway sends no receipts');
    }
    return deliver(send, order.state, order);
}

function listSends(url) {
    const gateway = url.searchParams.get('gateway') || '';
    const phone = (url.searchParams.get('phone') || '').trim();

    return world.state.sends.filter((send) => send.phone.includes(phone)
        && (!gateway || send.gateway === gateway));
}

/* The value to answer with, or undefined: not a request of ours. */
function onApi(what, url, body) {
    const calls = {
        'GET /api/sends': () => listSends(url),
        'GET /api/receipts': () => world.state.receipts,
        'POST /api/gateways': () => setGateways(JSON.parse(body)),
        'POST /api/receipt': () => orderReceipt(JSON.parse(body)),
    };

    return calls[what] && calls[what]();
}

function onRequest(request, response, url, body) {
    const [, name] = /^\/gateway\/([^/]+)/.exec(url.pathname);

    return (POLL.test(url.pathname) ? onStatus : onMessage)(name, request,
        response, url, body);
}

module.exports = { join, clear, onApi, onRequest };
