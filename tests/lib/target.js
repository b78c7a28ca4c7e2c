'use strict';

/*
 * A network that fails in every way it knows, by chance: for the tests of
 * many workers.  It remembers by key what it was asked and what it took.
 *
 *   node target.js --addresses 127.0.0.1,127.0.0.2 --seed 7
 *
 * The first line of the output is JSON with the port.  Ends when stdin closes.
 *
 *   GET /report    a line for each idempotency key: key, click id, status,
 *                  requests, requests answered 200 to the last byte, number
 *                  of the first request and of the first one so answered
 *   any other      one of the answers below; every query has click_id, status
 */

const http = require('http');

/* Shares of the answers; what is left is 200. */
const SHARES = [[0.06, 'error'], [0.04, 'slow-down'], [0.004, 'hang'],
    [0.03, 'half'], [0.03, 'reset'], [0.004, 'refuse'], [0.03, 'late']];

const options = Object.fromEntries(process.argv.slice(2).join(' ').split('--')
    .filter(Boolean).map((text) => text.trim().split(' ')));
const seen = new Map();
let number = 0;
let seed = Number(options.seed) || 1;

/* mulberry32: the same run again for the same seed, as far as order allows */
function chance() {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
}

function nextAnswer() {
    let left = chance();

    for (const [share, name] of SHARES) {
        if (left < share) {
            return name;
        }
        left -= share;
    }
    return 'ok';
}

function report(response) {
    const lines = [];

    for (const [key, is] of seen) {
        lines.push([key, is.click, is.status, is.asked, is.taken, is.first,
            is.firstTaken].join(' '));
    }
    response.end(lines.join('\n'));
}

function take(is, response) {
    response.end('ok', (error) => {
        if (!error) {
            is.taken += 1;
            is.firstTaken = is.firstTaken || ++number;
        }
    });
}

const answers = {
    ok: take,
    late: (is, response) => setTimeout(take, 300, is, response),
    error: (is, response) => response.writeHead(500).end('error'),
    'slow-down': (is, response) =>
        response.writeHead(429, { 'retry-after': '1' }).end('later'),
    refuse: (is, response) => response.writeHead(404).end('unknown'),
    hang: () => {},
    half: (is, response) => {
        response.writeHead(200, { 'content-length': '100' });
        response.write('half');
        setImmediate(() => response.destroy());
    },
    reset: (is, response) => response.socket.resetAndDestroy
        ? response.socket.resetAndDestroy() : response.socket.destroy(),
};

function onRequest(request, response) {
    const url = new URL(request.url, 'http://target');
    const key = request.headers['idempotency-key'];

    if (url.pathname === '/report') {
        report(response);
        return;
    }
    const is = seen.get(key) || { click: url.searchParams.get('click_id'),
        status: url.searchParams.get('status'), asked: 0, taken: 0,
        first: ++number, firstTaken: 0 };
    seen.set(key, is);
    is.asked += 1;
    request.resume();
    answers[nextAnswer()](is, response);
}

async function main() {
    let port = 0;

    for (const address of options.addresses.split(',')) {
        const server = http.createServer({ keepAliveTimeout: 60000 },
            onRequest);
        await new Promise((done, fail) => {
            server.on('error', fail);
            server.listen(port, address, done);
        });
        port = server.address().port;
    }
    process.stdout.write(`${JSON.stringify({ port })}\n`);
    process.stdin.on('end', () => process.exit(0));
    process.stdin.resume();
}

main().catch((error) => {
    console.error(`target: ${error.message}`);
    process.exit(1);
});
