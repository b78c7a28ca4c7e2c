'use strict';

/*
 * The people behind addresses, thousands of them: a mail server whose
 * mailboxes do what the beginning of their name says, and a CPA network that
 * keeps its own count.
 *
 *   node people.js --site http://127.0.0.1:80
 *
 *   after1- after2- after3-   confirms after that letter, by the button of
 *                             the page: GET, then POST
 *   hard-                     550 5.1.1: there is no such mailbox
 *   full-                     552 5.2.2: the mailbox is always full
 *   full1-                    is full once, then confirms after its second
 *   blocked-                  554 5.7.1: the sender is not liked
 *   any other                 takes every letter and does nothing
 *
 *   any /postback?click_id=ID&status=STATUS   the network, which answers "ok"
 *   GET /report    {"letters": {address: accepted}, "confirmed": COUNT,
 *                   "failed": [what went wrong], "busy": COUNT,
 *                   "told": {click id: [status, ...]}}
 *
 * The first line of the output is JSON with the ports.  Ends when stdin
 * closes.
 */

const http = require('http');
const { SMTPServer } = require('smtp-server');

const LETTER_MAX = 1024 * 1024;
const site = new URL(process.argv[process.argv.indexOf('--site') + 1]);
const agent = new http.Agent({ keepAlive: true, maxSockets: 32 });
const report = { letters: {}, confirmed: 0, failed: [], busy: 0, told: {} };
const tried = {};

/* --- mailboxes ----------------------------------------------------------- */

function refusal(code, text) {
    return Object.assign(new Error(text), { responseCode: code });
}

function onRcptTo(address, session, done) {
    const to = address.address;

    tried[to] = (tried[to] || 0) + 1;
    if (to.startsWith('hard-')) {
        done(refusal(550, '5.1.1 no such user'));

    } else if (to.startsWith('full-')
               || (to.startsWith('full1-') && tried[to] === 1)) {
        done(refusal(552, '5.2.2 mailbox full'));

    } else if (to.startsWith('blocked-')) {
        done(refusal(554, '5.7.1 blocked by policy'));

    } else {
        done();
    }
}

/* The link of the button, out of the encoded text. */
function confirmation(letter) {
    const base64 = letter.match(
        /^Content-Transfer-Encoding: base64\r\n(?:.+\r\n)*\r\n([^-]+)/im);
    const text = base64 ? Buffer.from(base64[1], 'base64').toString()
        : letter.replace(/=\r\n/g, '').replace(/=3D/g, '=');
    const link = text.match(/https?:\/\/[^\s"<>]+\/c\/[\w-]+/);

    return link && new URL(link[0]).pathname;
}

function ask(method, path, then) {
    const request = http.request({ agent, host: site.hostname,
        port: site.port, path, method,
        headers: { accept: 'application/json', 'content-length': 0 } },
    (response) => {
        response.resume();
        response.on('end', () => then(response.statusCode));
    });
    request.on('error', (error) => then(error.message));
    request.end();
}

/* Presses the button, and again when the site asks for it. */
function press(path, again) {
    ask('POST', path, (status) => {
        if (status === 503 && again > 0) {
            setTimeout(press, 1000, path, again - 1);
            return;
        }
        report.busy -= 1;
        if (status === 200) {
            report.confirmed += 1;
        } else {
            report.failed.push(`button ${status}`);
        }
    });
}

/* As a person does: opens the page, presses the button. */
function confirm(path) {
    report.busy += 1;
    ask('GET', path, (page) => {
        if (page !== 200) {
            report.failed.push(`page ${page}`);
        }
        press(path, 10);
    });
}

function takeLetter(to, letter) {
    const [, after] = to.match(/^after(\d)-/) || to.match(/^full(1)-/) || [];
    const path = confirmation(letter);

    report.letters[to] = (report.letters[to] || 0) + 1;
    if (!path) {
        report.failed.push('a letter without a link');

    } else if (after && report.letters[to] === Number(after)) {
        confirm(path);
    }
}

const mailServer = new SMTPServer({
    authOptional: true,
    disabledCommands: ['AUTH', 'STARTTLS'],
    disableReverseLookup: true,
    size: LETTER_MAX,
    logger: false,
    onRcptTo,
    onData(stream, session, done) {
        const chunks = [];

        stream.on('data', (chunk) => chunks.push(chunk));
        stream.on('end', () => {
            const letter = Buffer.concat(chunks).toString('latin1');
            session.envelope.rcptTo.forEach(
                (rcpt) => takeLetter(rcpt.address, letter));
            done();
        });
    },
});
mailServer.on('error', () => {});

/* --- the network --------------------------------------------------------- */

const network = http.createServer((request, response) => {
    const url = new URL(request.url, 'http://network');

    request.resume();
    if (url.pathname === '/report') {
        response.setHeader('content-type', 'application/json');
        response.end(JSON.stringify(report));
        return;
    }
    const click = url.searchParams.get('click_id');
    report.told[click] = (report.told[click] || [])
        .concat(url.searchParams.get('status'));
    response.end('ok');
});
network.keepAliveTimeout = 60000;

/* --- life ---------------------------------------------------------------- */

mailServer.listen(0, '127.0.0.1', () => network.listen(0, '127.0.0.1', () => {
    const port = network.address().port;

    console.log(JSON.stringify({ smtp: mailServer.server.address().port,
        url: `http://127.0.0.1:${port}/` }));
}));
process.stdin.resume();
process.stdin.on('end', () => process.exit(0));
