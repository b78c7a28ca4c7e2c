'use strict';

/*
 * Who checks persons, for world.js, in the words of IDX: a request names a
 * phone and gets an operationToken; the verdict is there after a while, for
 * who asks, and a callback says that it is.
 *
 *   POST /identity/NAME/...         a check; "async" and "asyncCallback" in it
 *   POST /identity/NAME/status      {"operationToken": ...}: resultCode is 0
 *                                   passed, -100 not found, 1 not yet, -1 an
 *                                   error
 *   GET  /api/checks     what was asked for, oldest first; ?phone=79..
 *   POST /api/callback   {"check": NUMBER, "forged": ...} one more callback;
 *                        the answer has what the site said
 *
 * What becomes of a check, {"identity": [rule, ...]} of /api/faults; the
 * first that fits applies:
 *   {"phone": "7916",
 *    "verdict": "failed",   or "unavailable"; passed
 *    "sync": true,          the first answer has it
 *    "delay_ms": 300,       until it is there; 50
 *    "never": true,         it never is
 *    "silent": true,        no callback
 *    "forged": "verdict",   a callback at once that lies: verdict (passed),
 *                           id (of another check), secret (of the path)
 *    "does": "hang"}        no answer at all; or a status
 */

const { randomUUID } = require('crypto');

const CODES = { passed: 0, failed: -100, unavailable: -1 };
const NOT_YET = 1;
const DELAY_MS = 50;
const NOTHING = 404;

let world;

/* world: {state, keep(list, item), pause(ms)}; its state has a list of ours. */
function join(with_world) {
    world = with_world;
    clear();
}

function clear() {
    world.state.checks = [];
}

function sendJson(response, status, value) {
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(JSON.stringify(value));
}

function ruleFor(phone) {
    return (world.state.faults.identity || []).find((rule) =>
        phone.includes(rule.phone || '')) || {};
}

function result(check) {
    return check.code === undefined
        ? { resultCode: NOT_YET, resultMessage: 'In progress' }
        : { resultCode: check.code, resultMessage: 'Done',
            lastName: 'Sandboxova', operationToken: check.token };
}

/* Tells the site; how: which part of it is made up. */
async function call(check, how) {
    const url = how === 'secret' ? check.callback.replace(
        /[^/]+(?=\/[^/]*$)/, (text) => text.replace(/./g, 'x'))
        : how === 'id' ? check.callback.replace(/[^/]+$/, randomUUID())
            : check.callback;
    const told = how === 'verdict' ? { resultCode: 0 } : result(check);

    try {
        const reply = await fetch(url, { method: 'POST',
            headers: { 'content-type': 'application/json' },
            body: JSON.stringify({ ...told,
                operationToken: how === 'id' ? randomUUID() : check.token }) });

        return { status: reply.status, reply: await reply.text() };
    } catch (error) {
        return { status: 0, reply: error.message };
    }
}

async function decide(check, rule) {
    if (rule.forged && check.callback) {
        check.called = (await call(check, rule.forged)).status;
    }
    if (rule.never) {
        return;
    }
    await world.pause(rule.delay_ms === undefined ? DELAY_MS : rule.delay_ms);
    check.code = CODES[rule.verdict || 'passed'];
    if (check.callback && !rule.silent && !rule.forged) {
        check.called = (await call(check)).status;
    }
}

function onCheck(name, request, response, body) {
    const said = JSON.parse(body || '{}');
    const phone = String(said.phone || '').replace('+', '');
    const rule = ruleFor(phone);
    const check = { at: new Date().toISOString(), gateway: name, phone,
        token: randomUUID(), callback: said.asyncCallback || '',
        headers: request.headers, body, polls: 0 };

    world.keep(world.state.checks, check);
    if (typeof rule.does === 'number') {
        return sendJson(response, rule.does, { resultMessage: 'sandbox' });
    }
    if (rule.does !== 'hang') {
        if (rule.sync) {
            check.code = CODES[rule.verdict || 'passed'];
        }
        sendJson(response, 200, rule.sync ? result(check)
            : { resultCode: 0, operationToken: check.token });
    }
    return rule.sync ? undefined : decide(check, rule);
}

function onStatus(response, body) {
    const { operationToken } = JSON.parse(body || '{}');
    const check = world.state.checks.find(({ token }) =>
        token === operationToken);

    if (!check) {
        return sendJson(response, NOTHING, { error: 'no such operation' });
    }
    check.polls += 1;
    return sendJson(response, 200, result(check));
}

function onRequest(request, response, url, body) {
    const [, name] = /^\/identity\/([^/]+)/.exec(url.pathname);

    return /\/status$/.test(url.pathname) ? onStatus(response, body)
        : onCheck(name, request, response, body);
}

function orderCallback(order) {
    const check = world.state.checks.find((one) => one.number === order.check);

    if (!check || !check.callback) {
        throw new Error('no such check, or it names no callback');
    }
    return call(check, order.forged);
}

/* The value to answer with, or undefined: not a request of ours. */
function onApi(what, url, body) {
    const phone = (url.searchParams.get('phone') || '').trim();

    if (what === 'GET /api/checks') {
        return world.state.checks.filter((one) => one.phone.includes(phone));
    }
    return what === 'POST /api/callback' ? orderCallback(JSON.parse(body))
        : undefined;
}

module.exports = { join, clear, onApi, onRequest };
