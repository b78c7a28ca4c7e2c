'use strict';

/* What the tests of the desk's page share: an advisor, and his ways. */

const assert = require('node:assert');
const { execFileSync } = require('child_process');
const { readFileSync } = require('fs');
const site = require('./site');

const AXE = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');
const PHONE = { width: 360, height: 740 };
const DESKTOP = { width: 1280, height: 900 };

/* The page as somebody of the file of passwords sees it. */
async function desk(name, options) {
    const page = await site.visitor({ viewport: PHONE, ...options,
        httpCredentials: { username: name,
            password: process.env.SITE_PASSWORD } });

    await page.goto(`${site.SITE}desk.html`);
    await page.locator('#trouble:visible').waitFor();
    return page;
}

/* In the page: things to press that are too small for a finger. */
function smallTargets() {
    return [...document.querySelectorAll('button, .pick, summary, .langs a, '
        + 'input:not([type=hidden], [type=checkbox], [type=radio]), '
        + 'textarea, .check label')]
        .map((element) => [element, element.getBoundingClientRect()])
        .filter(([, box]) => box.width > 0
            && (box.height < 44 || box.width < 44))
        .map(([element]) => element.outerHTML.slice(0, 80));
}

/* A picture of a state that everybody must be able to use. */
async function look(page, name) {
    await site.shot(page, `desk-${name}`);
    const [width, all] = await page.evaluate(() => [innerWidth,
        document.documentElement.scrollWidth]);

    assert.equal(all, width, `no horizontal scroll: ${name}`);
    assert.deepEqual(await page.evaluate(smallTargets), [],
        `targets: ${name}`);
    await page.evaluate(AXE);
    const { violations } = await page.evaluate(() => globalThis.axe.run());

    assert.deepEqual(violations.map((v) => [v.id, v.help,
        v.nodes.slice(0, 3).map((n) => n.html)]), [], name);
}

function choose(page, field, value) {
    return page.check(`input[name="${field}"][value="${value}"]`);
}

/* Age and consents as given, both questions answered, "next". */
async function open(page, { age = 'sure', pd = 'yes', ads = 'yes' } = {}) {
    await choose(page, 'age', age);
    await choose(page, 'pd', pd);
    await choose(page, 'ads', ads);
    if (pd === 'yes') {
        await page.fill('#answer-name', 'Вера');
        await choose(page, 'answer-found', 'friend');
    }
    await page.click('#open');
    await page.locator('#visitor').waitFor({ state: 'hidden' });
}

/* Asks for a code to 8 PHONE; what the person was sent. */
async function ask(page, phone) {
    const url = `api/sends?phone=7${phone}&gateway=sms`;
    const before = (await site.api(url)).length;

    await page.fill('#phone', `8${phone}`);
    await page.check('#consent_pd');
    await page.check('#consent_ads');
    await page.click('.leadq-get');
    await page.locator('.leadq-code:visible').waitFor();
    return site.waitFor(`SMS to ${phone}`, async () =>
        (await site.api(url))[before]);
}

async function typeCode(page, code) {
    await page.locator('.leadq-code').pressSequentially(code);
    await page.keyboard.press('Enter');
}

async function prove(page, phone) {
    const { code } = await ask(page, phone);

    await typeCode(page, code);
    await page.locator('#phone-sum', { hasText: 'подтверждён' }).waitFor();
}

/* Ends the visit; what the page says then. */
async function end(page, outcome) {
    await choose(page, 'outcome', outcome);
    await page.click('#finish');
    await page.locator('#done:visible').waitFor();
    return (await page.innerText('#done')).replace(/\s+/g, ' ');
}

async function check(page, code) {
    await page.fill('#code', code);
    await page.click('#check');
    const told = page.locator('#code-told .notice');

    await told.waitFor();
    return (await told.innerText()).replace(/\s+/g, ' ');
}

/* Codes of a programme, as people read them. */
function codes(programme, count) {
    return execFileSync(`${process.env.LEADQ_BUILD || 'build'}/leadqctl`,
        ['codes', 'generate', programme, String(count), '-d',
            process.env.SITE_DSN],
        { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
        .trim().split('\n').slice(1);
}

module.exports = { ...site, launch: site.open, PHONE, DESKTOP, desk, look, choose, open, ask,
    typeCode, prove, end, check, codes };
