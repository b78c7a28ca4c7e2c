'use strict';

// What takes leads with Node: two processes, node:http, every field checked
// by hand, the same SQL function by a prepared statement, pools of eight.
// Arguments: port, socket directory, port of PostgreSQL.

const cluster = require('node:cluster');
const crypto = require('node:crypto');
const http = require('node:http');

if (cluster.isPrimary) {
    cluster.fork();
    cluster.fork();
    process.on('SIGTERM', () => process.exit(0));
} else {
    serve();
}

const EMAIL = /^[\x21-\x3f\x41-\x7e]{1,64}@([a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)+)$/i;
const TOKEN = /^[\x21-\x7e]+$/;
// eslint-disable-next-line no-control-regex
const CONTROL = /[\x00-\x1f\x7f]/;

// The row for SQL, or the first field that is not valid.
function check(body, request) {
    const row = {};
    const at = EMAIL.exec(body.email);
    if (typeof body.email !== 'string' || body.email.length > 254 || !at) {
        return { bad: 'email' };
    }
    row.email = body.email.slice(0, -at[1].length) + at[1].toLowerCase();
    if (body.phone !== undefined) {
        const digits = String(body.phone).replace(/[ ()-]/g, '')
            .replace(/^8/, '+7');
        if (!/^\+79\d{9}$/.test(digits)) {
            return { bad: 'phone' };
        }
        row.phone = digits;
    }
    if (body.name !== undefined) {
        if (typeof body.name !== 'string' || [...body.name].length > 100
            || CONTROL.test(body.name)) {
            return { bad: 'name' };
        }
        row.name = body.name.trim();
    }
    for (const [name, max] of [['click_id', 255], ['text_version', 64]]) {
        if (body[name] !== undefined) {
            if (!TOKEN.test(body[name]) || body[name].length > max) {
                return { bad: name };
            }
            row[name] = body[name];
        }
    }
    if (body.consent_pd !== true) {
        return { bad: 'consent_pd' };
    }
    row.consent_pd = true;
    row.consent_ads = body.consent_ads === true;
    row.source = 'bench';
    row.ip = request.socket.remoteAddress;
    row.ua = request.headers['user-agent'] || '';
    return { row };
}

function answer(response, status, type, text) {
    response.writeHead(status, { 'Content-Type': type,
        'Content-Length': Buffer.byteLength(text) });
    response.end(text);
}

function serve() {
    const [port, host, pgPort] = process.argv.slice(2);
    const sql = require('postgres')({ host, port: Number(pgPort), max: 8,
        database: 'leadq', username: 'leadq_web', prepare: true });

    async function take(request, response, bytes) {
        let checked;
        try {
            checked = check(JSON.parse(bytes), request);
        } catch {
            checked = { bad: 'body' };
        }
        if (checked.bad) {
            answer(response, 422, 'application/problem+json',
                JSON.stringify({ status: 422, field: checked.bad }));
            return;
        }
        const [row] = await sql`select status, body from leadq.web_lead(
            ${[crypto.randomUUID()]}::uuid[],
            ${[JSON.stringify(checked.row)]}::text[])`;
        answer(response, row.status, 'application/json', row.body);
    }

    http.createServer({ keepAliveTimeout: 0 }, (request, response) => {
        const chunks = [];
        request.on('data', (chunk) => chunks.push(chunk));
        request.on('end', () => {
            take(request, response, Buffer.concat(chunks).toString())
                .catch(() => answer(response, 503, 'text/plain', 'away'));
        });
    }).listen(Number(port), '127.0.0.1', 1024);
}
