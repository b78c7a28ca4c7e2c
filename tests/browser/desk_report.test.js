'use strict';

/* The report of points: figures, flags, access, and that it moves by itself. */

const assert = require('node:assert');
const { execFileSync } = require('child_process');
const { readFileSync } = require('fs');
const { test, before, after } = require('node:test');
const site = require('./site');

const AXE = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');

before(async () => {
    execFileSync('psql', ['-XAtq', '-v', 'ON_ERROR_STOP=1', '-d',
        process.env.SITE_DSN, '-f', `${__dirname}/desk_report.sql`]);
    await site.open();
});
after(site.close);

function credentials(username) {
    return { username, password: process.env.SITE_PASSWORD };
}

async function reader(name, options, query = '') {
    const page = await site.visitor({ httpCredentials: credentials(name),
        timezoneId: 'Europe/Moscow', viewport: site.DESKTOP, ...options });

    await page.goto(`${site.SITE}desk-report.html${query}`);
    await page.locator('#report:not([hidden]):not([aria-busy])').waitFor();
    return page;
}

function plain(text) {
    return text.replace(/[\u00a0\u202f]/g, ' ').replace(/\s+/g, ' ');
}

async function textOf(page, selector) {
    return plain(await page.locator(selector).first().innerText());
}

function asked(what) {
    return site.sql(`select ${what} from leadq.desk_report
        where point = 'north'
          and day > (leadq.now() at time zone 'Europe/Moscow')::date - 7`);
}

test('everybody sees what is his', async () => {
    const basic = (name) => ({ headers: { 'Sec-Fetch-Site': 'same-origin',
        Authorization: `Basic ${Buffer.from(`${name}:${
            process.env.SITE_PASSWORD}`).toString('base64')}` } });
    const report = async (name, query = '') => (await fetch(
        `${site.SITE}v1/desk/report?${query}`, basic(name))).json();

    assert.equal((await fetch(`${site.SITE}desk-report.html`)).status, 401);
    assert.equal((await fetch(`${site.SITE}v1/desk/report`)).status, 401);

    const all = await report('vera');
    assert.ok(all.points.some((item) => item.point === 'south'));
    assert.equal(all.who.role, 'brand');
    const own = await report('lena', 'point=south');
    assert.deepEqual(own.points.map((item) => item.point), ['north']);
    const nina = await report('nina', 'of=roman');
    assert.deepEqual(nina.advisors.map((item) => item.advisor), ['nina']);
    assert.equal(nina.suspects, undefined, 'nor what looks invented');
    assert.equal((await fetch(`${site.SITE}v1/desk/report?from=2026-02-02`
        + '&to=2026-02-01', basic('vera'))).status, 422);
});

test('the figures are those of the base, in both languages', async () => {
    const page = await reader('vera', {}, '?point=north');
    const [visits, sales, redeemed] = ['sum(visits)', 'sum(sales)',
        'sum(redemptions)'].map(asked);
    let text = await textOf(page, '.totals');

    assert.match(text, new RegExp(`Визиты ${visits} Покупки ${sales} `));
    assert.match(text, new RegExp(`Погашено ${redeemed} `));
    text = await textOf(page, '.advisors');
    assert.match(text, /Нина Ким Север \d+/);
    assert.doesNotMatch(text, /Кира/);
    assert.match(await textOf(page, '.filters'), /Точка: Север/);
    await page.click('text=показать всех');
    await page.locator('.advisors', { hasText: 'Кира' }).waitFor();
    await page.click('text=English');
    text = await textOf(page, '.programmes');
    assert.match(text, /Круг друзей \d+ \d+ [\d.]+ up to 3, [\d.]+ on average \d+ 0 RUB/);
    assert.equal(await page.title(), 'Points of sale — Polka club');
    assert.deepEqual(page.complaints, []);
});

test('who makes visits up is seen, with the visits', async () => {
    const page = await reader('vera', {}, '?point=south');
    const first = page.locator('.suspects > li').first();

    assert.match(plain(await first.innerText()), /^Кира Вольф, Юг, второй этаж · .* · оценка \d+(,\d)? из 100 · с флагами 1\d из \d+ визитов/);
    await first.locator('summary').click();
    assert.match(plain(await first.locator('li').last().innerText()), /^22:4\d проба — точка закрыта, слишком часто подряд/);
    assert.equal(await first.evaluate(
        (item) => item.classList.contains('shown')), true);
});

for (const colorScheme of ['light', 'dark']) {
    for (const [name, viewport] of [['phone', site.PHONE],
        ['desktop', site.DESKTOP]]) {
        test(`it can be used by everybody: ${name}, ${colorScheme}`,
            async () => {
                const page = await reader('vera', { colorScheme, viewport });

                assert.equal(await page.locator('canvas').count(), 2);
                await page.locator('.suspects summary').first().click();
                await site.shot(page, `desk-report-${name}-${colorScheme}`);
                assert.equal(await page.evaluate(
                    () => document.documentElement.scrollWidth),
                viewport.width, 'no horizontal scroll');
                await page.evaluate(AXE);
                const { violations } = await page.evaluate(
                    () => globalThis.axe.run());
                assert.deepEqual(violations.map((v) => [v.id, v.help,
                    v.nodes.slice(0, 3).map((n) => n.html)]), []);
                assert.deepEqual(page.complaints, []);
            });
    }
}

test('what happens at a till is here ten seconds later, and nobody is disturbed',
    async () => {
        const page = await reader('vera', {}, '?point=north');
        const visits = Number(asked('sum(visits)'));
        const figures = page.locator('.codes details');

        await figures.locator('summary').click();
        site.sql(`insert into leadq.visit (visit_id, point_id, advisor_id,
                day, opened_at, age, consent_pd, consent_ads, lang)
            select gen_random_uuid(), point_id, advisor_id,
                   (leadq.now() at time zone 'Europe/Moscow')::date,
                   leadq.now(), 'sure', false, false, 'ru'
              from leadq.advisor where name = 'nina'`);
        await page.locator('.totals', { hasText: new RegExp(
            `Визиты\\s*${visits + 1}\\s*Покупки`) }).waitFor();
        assert.equal(await figures.evaluate((item) => item.open), true,
            'what was opened stays open');
        assert.equal(await figures.locator('summary').evaluate(
            (item) => item === document.activeElement), true, 'in focus');
        assert.match(await page.innerText('#fresh'), /обновляется само/);
    });

test('a point is chosen by keyboard, kept in the address, and undone',
    async () => {
        const page = await reader('vera');
        const point = page.locator('.points button', { hasText: 'Юг' });

        await point.focus();
        await page.keyboard.press('Enter');
        await page.waitForURL(/&point=south/);
        await page.locator('.filters', { hasText: 'Юг' }).waitFor();
        assert.doesNotMatch(await textOf(page, '.advisors'), /Нина/);
        await page.goBack();
        await page.locator('.advisors', { hasText: 'Нина' }).waitFor();
        await page.click('[data-days="365"]');
        await page.locator('.visits h2', { hasText: 'По неделям' }).waitFor();
    });

test('what is shown can be saved', async () => {
    const page = await reader('vera', {}, '?point=north');
    const [download] = await Promise.all([page.waitForEvent('download'),
        page.click('.advisors .title button')]);
    const lines = readFileSync(await download.path(), 'utf8').split('\r\n');

    assert.equal(download.suggestedFilename(), 'Консультанты.csv');
    assert.match(lines[0], /^\ufeffКонсультант,Точка,Визиты,Покупки,/);
    assert.ok(lines.some((line) => /^Нина Ким,Север,\d+,\d+,/.test(line)));
});

test('what went wrong and what is empty is said', async () => {
    const page = await reader('vera', { viewport: site.PHONE },
        '?from=2019-01-01&to=2019-01-31');

    assert.match(await page.innerText('#report'), /никто не приходил/);
    assert.doesNotMatch(await page.innerText('#fresh'), /само/);
    await page.fill('#from', '2019-02-02');
    await page.click('.show');
    await page.locator('.failed', { hasText: 'заканчивается раньше' })
        .waitFor();
    await page.route('**/v1/desk/report*', (route) => route.abort());
    await page.click('[data-days="7"]');
    await page.locator('.failed', { hasText: 'не ответила' }).waitFor();
});

test('without charts nothing but pictures is missing', async () => {
    const page = await site.visitor({ httpCredentials: credentials('lena') });

    await page.route('**/echarts.min.js', (route) => route.abort());
    await page.goto(`${site.SITE}desk-report.html`);
    await page.locator('.advisors', { hasText: 'Роман' }).waitFor();
    assert.equal(await page.locator('canvas').count(), 0);
    assert.equal(await page.locator('.points').count(), 0, 'one point is one');
});
