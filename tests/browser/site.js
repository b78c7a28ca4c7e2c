'use strict';

/* What the browser tests share: the browser, the site, its base, the world. */

const { execFileSync } = require('child_process');
const { chromium } = require('playwright-core');

const SITE = process.env.SITE_URL;
const WORLD = process.env.WORLD_URL;
const PHONE = { width: 360, height: 740 };
const DESKTOP = { width: 1280, height: 800 };

let browser;

async function open() {
    browser = await chromium.launch({
        executablePath: process.env.CHROMIUM || '/usr/bin/chromium',
        args: ['--no-sandbox', '--disable-gpu', '--disable-quic',
            '--no-first-run', '--disable-background-networking',
            '--disable-component-update', '--disable-sync'],
    });
}

async function close() {
    await browser.close();
}

/* A new visitor's page; complaints of the console end up in page.complaints. */
async function visitor(options) {
    const context = await browser.newContext({ viewport: PHONE,
        locale: 'ru-RU', ...options });
    const page = await context.newPage();

    page.setDefaultTimeout(15000);
    page.complaints = [];
    page.on('pageerror', (error) => page.complaints.push(error.message));
    page.on('console', (message) => {
        if (message.type() === 'error' || message.type() === 'warning') {
            page.complaints.push(message.text());
        }
    });
    return page;
}

function shot(page, name) {
    return page.screenshot({ path: `${process.env.SHOTS}/${name}.png`,
        fullPage: true });
}

function sql(query) {
    return execFileSync('psql', ['-XAtq', '-v', 'ON_ERROR_STOP=1', '-d',
        process.env.SITE_DSN, '-c', query], { encoding: 'utf8' }).trim();
}

function leadState(clickId) {
    return sql(`select state from leadq.lead where click_id = '${clickId}'`);
}

/* Calls check until it gives something; fails at the deadline. */
async function waitFor(what, check) {
    const end = Date.now() + 20000;

    for (;;) {
        const result = await check();
        if (result) {
            return result;
        }
        if (Date.now() > end) {
            throw new Error(`not within 20 s: ${what}`);
        }
        await new Promise((done) => {
            setTimeout(done, 50);
        });
    }
}

async function api(path) {
    return (await fetch(WORLD + path)).json();
}

/* What goes wrong in the outside world from now on; see tests/lib/world.js. */
function faults(what) {
    return fetch(`${WORLD}api/faults`, { method: 'POST',
        body: JSON.stringify(what) });
}

function letter(to, count = 1) {
    return waitFor(`letter ${count} to ${to}`, async () =>
        (await api(`api/mail?to=${to}`))[count - 1]);
}

function postback(clickId, status) {
    return waitFor(`postback ${status} of ${clickId}`, async () =>
        (await api(`api/postbacks?click_id=${clickId}`)).find(
            (item) => item.query.status === status));
}

/* The confirmation (c) or unsubscribing (u) link of a letter. */
function linkIn(mail, kind) {
    return mail.links.find((link) => link.includes(`/${kind}/`));
}

/* Leaves a lead as a landing's server would; returns its letter. */
async function leaveLead(clickId, email) {
    const reply = await fetch(`${SITE}v1/leads`, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify({ email, click_id: clickId, consent_pd: true }),
    });

    if (reply.status !== 202) {
        throw new Error(`lead answered ${reply.status}`);
    }
    return letter(email);
}

module.exports = { SITE, PHONE, DESKTOP, open, close, visitor, shot, sql,
    leadState, waitFor, api, faults, letter, postback, linkIn, leaveLead };
