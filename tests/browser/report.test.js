'use strict';

/* The report that a marketer opens every day: figures, charts, access. */

const assert = require('node:assert');
const { execFileSync } = require('child_process');
const { readFileSync } = require('fs');
const { test, before, after } = require('node:test');
const site = require('./site');

const AXE = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');
const SEPTEMBER = 'report.html?from=2026-09-01&to=2026-09-30';
const ANNA = { username: 'anna', password: process.env.SITE_PASSWORD };

before(async () => {
    execFileSync('psql', ['-XAtq', '-v', 'ON_ERROR_STOP=1', '-d',
        process.env.SITE_DSN, '-f', `${__dirname}/report.sql`]);
    await site.open();
});
after(site.close);

async function reader(options, path = SEPTEMBER) {
    const page = await site.visitor({ httpCredentials: ANNA,
        timezoneId: 'Europe/Moscow', viewport: site.DESKTOP, ...options });

    await page.goto(site.SITE + path);
    await page.locator('#report:not([hidden]):not([aria-busy])').waitFor();
    return page;
}

/* The accessible text of a source's card, blanks made plain. */
async function card(page, source) {
    const text = await page.locator('.source', { hasText: source })
        .innerText();

    return text.replace(/[\u00a0\u202f]/g, ' ');
}

test('the report is for those whom the file names', async () => {
    const url = `${site.SITE}report.html`;
    const api = `${site.SITE}v1/reports/funnel`;
    const basic = (text) => ({ headers: { Authorization:
        `Basic ${Buffer.from(text).toString('base64')}` } });

    assert.equal((await fetch(url)).status, 401);
    assert.equal((await fetch(api)).status, 401);
    assert.equal((await fetch(api, basic('anna:guess'))).status, 401);
    assert.equal((await fetch(api, basic(`anna:${ANNA.password}`))).status,
        200);
});

test('the figures are those of the base, in words of both languages',
    async () => {
        const page = await reader();
        let text = await card(page, 'cpa-landing');

        assert.match(text, /400 заявок, одобрено 60 %/);
        assert.match(text, /Напоминания принесли 3,3 % подтверждений/);
        assert.match(text, /Письмо 1 doi-1\s+400\s+376\s+24 из них навсегда: 24\s+300\s+232\s+96,7 %/);
        assert.match(text, /Такого адреса нет\s+24 · 6 %/);
        assert.match(await card(page, 'print-landing'), /Напоминания принесли 38 % подтверждений/);
        assert.match(await card(page, 'old-base'), /Напоминания принесли 55,6 % подтверждений/);
        assert.match((await page.locator('.totals').innerText())
            .replace(/\s+/g, ' '), /Заявки 1 600 Подтвердили 700 43,8 %/);

        await page.click('text=English');
        text = await card(page, 'print-landing');
        assert.match(text, /200 leads, 50% approved/);
        assert.match(text, /Reminders brought 38% of the confirmations/);
        assert.equal(await page.title(), 'Confirmation funnel — Polka club');
        assert.deepEqual(page.complaints, []);
    });

for (const colorScheme of ['light', 'dark']) {
    for (const [name, viewport] of [['phone', site.PHONE],
        ['desktop', site.DESKTOP]]) {
        test(`it can be used by everybody: ${name}, ${colorScheme}`,
            async () => {
                const page = await reader({ colorScheme, viewport });

                assert.equal(await page.locator('canvas').count(), 4);
                assert.equal(await page.evaluate(
                    () => document.documentElement.scrollWidth),
                viewport.width, 'no horizontal scroll');
                await site.shot(page, `report-${name}-${colorScheme}`);
                await page.evaluate(AXE);
                const { violations } = await page.evaluate(
                    () => globalThis.axe.run());
                assert.deepEqual(violations.map((v) => [v.id, v.help,
                    v.nodes.slice(0, 3).map((n) => n.html)]), []);
                assert.deepEqual(page.complaints, []);
            });
    }
}

test('a period is chosen by keyboard, kept in the address, and undone',
    async () => {
        const page = await reader();

        await page.focus('[data-days="7"]');
        await page.keyboard.press('Enter');
        await page.locator('[data-days="7"][aria-pressed="true"]').waitFor();
        assert.match(page.url(), /\?from=\d{4}-\d\d-\d\d&to=\d{4}-\d\d-\d\d$/);
        await page.goBack();
        await page.locator('.source', { hasText: 'old-base' }).waitFor();
        assert.equal(await page.inputValue('#from'), '2026-09-01');

        await page.fill('#from', '2026-09-05');
        await page.fill('#to', '2026-09-06');
        await page.press('#to', 'Enter');
        await page.waitForURL('**?from=2026-09-05&to=2026-09-06');
        await page.locator('.totals', { hasText: /^Заявки\s*1\d\d\D/ })
            .waitFor();
        await page.click('summary');
        assert.equal(await page.locator('.by-day tbody tr').count(), 2);
    });

test('what went wrong and what is empty is said', async () => {
    const page = await reader({ viewport: site.PHONE },
        'report.html?from=2019-01-01&to=2019-01-31');

    assert.match(await page.innerText('#report'), /заявок не было/);
    await site.shot(page, 'report-empty-phone');
    await page.fill('#from', '2019-02-02');
    await page.click('.show');
    await page.locator('.failed').waitFor();
    assert.match(await page.innerText('#status'), /заканчивается раньше/);
    await page.route('**/v1/reports/**', (route) => route.abort());
    await page.click('[data-days="30"]');
    await page.locator('.failed', { hasText: 'не ответила' }).waitFor();
});

test('without charts nothing but pictures is missing', async () => {
    const context = { httpCredentials: ANNA, viewport: site.PHONE };
    const page = await site.visitor(context);

    await page.route('**/echarts.min.js', (route) => route.abort());
    await page.goto(site.SITE + SEPTEMBER);
    await page.locator('.source').first().waitFor();
    assert.match(await card(page, 'print-landing'), /38 %/);
    assert.equal(await page.locator('canvas').count(), 0);
});
