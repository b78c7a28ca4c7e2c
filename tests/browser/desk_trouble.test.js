'use strict';

/*
 * The page of an advisor when something is missing: an answer, the network,
 * time, the eyes of its reader.
 */

const assert = require('node:assert');
const { test, before, after } = require('node:test');
const site = require('./desk');

before(site.launch);
after(site.close);

/* Requests of the page that may change something. */
function changes(page) {
    const list = [];

    page.on('request', (request) => {
        if (request.method() !== 'GET') {
            list.push(request);
        }
    });
    return list;
}

function focused(page) {
    return page.evaluate(() => document.activeElement.id
        || document.activeElement.name);
}

test('W-23: what is empty is marked, and nothing is sent', async () => {
    const page = await site.desk('anna');
    const sent = changes(page);

    await page.click('#check');
    await page.locator('#code-problem', { hasText: 'Введите код' }).waitFor();
    await site.choose(page, 'age', 'sure');
    await page.click('#open');
    assert.match(await page.innerText('#visitor-problem'), /пусто/);
    assert.equal(await focused(page), 'pd');
    await site.choose(page, 'pd', 'yes');
    await site.choose(page, 'ads', 'no');
    await page.click('#open');
    assert.equal(await focused(page), 'answer-name');
    assert.equal(await page.getAttribute('#answer-name', 'aria-describedby'),
        'answer-name-wrong');
    await site.look(page, 'empty-phone');
    assert.equal(sent.length, 0);

    await site.open(page);
    sent.length = 0;
    await page.click('.leadq-get');
    await page.locator('.leadq-error', { hasText: 'номер' }).waitFor();
    await page.fill('#phone', '89161000001');
    await page.click('.leadq-get');
    await page.locator('.leadq-error', { hasText: 'согласие' }).waitFor();
    await page.click('#finish');
    await page.locator('#end-problem', { hasText: 'Выберите' }).waitFor();
    await site.choose(page, 'outcome', 'test');
    await page.click('#finish');
    await page.locator('#end-problem', { hasText: 'Подтвердите номер' })
        .waitFor();
    assert.equal(sent.length, 0);
    assert.match(await site.end(page, 'left'), /ушёл/);
});

test('a mistyped code is told and costs nothing', async () => {
    const page = await site.desk('anna');

    await page.fill('#code', 'A222-2222-2223');
    await page.click('#check');
    await page.locator('#code-problem', { hasText: 'не бывает' }).waitFor();
    assert.equal(await focused(page), 'code');
    assert.match(await site.check(page, 'а222 2222 222х'), /Такого кода нет/,
        'in Cyrillic letters it is the same');
});

test('without a connection nothing is lost and nothing done twice',
    async () => {
        const page = await site.desk('anna');
        const sent = changes(page);
        const visits = () => Number(site.sql(
            'select count(*) from leadq.visit'));

        await site.choose(page, 'age', 'unproved');
        await page.context().setOffline(true);
        await page.locator('#offline:visible').waitFor();
        await page.click('#turn-away');
        await page.locator('#visitor-problem', { hasText: 'Нет связи' })
            .waitFor();
        await site.look(page, 'offline-phone');
        await page.context().setOffline(false);
        await page.locator('#offline').waitFor({ state: 'hidden' });

        /* The server does it, and its answer is lost on the way. */
        const before_it = visits();
        await page.route('**/v1/desk/visits', async (route) => {
            await route.fetch();
            await route.abort('connectionreset');
        }, { times: 1 });
        await page.click('#turn-away');
        await page.locator('#visitor-problem', { hasText: 'Нет связи' })
            .waitFor();
        await page.click('#turn-away');
        await page.locator('#done:visible').waitFor();
        assert.equal(visits(), before_it + 1);
        const keys = sent.map((request) =>
            request.headers()['idempotency-key']);

        assert.equal(keys.length, 3);
        assert.equal(new Set(keys).size, 1, 'a repeat has the same key');
    });

test('who waits is told so, and not for ever', async () => {
    const page = await site.desk('anna');

    await page.clock.install();
    let asked = 0;

    await page.route('**/v1/promo/checks', () => {
        asked += 1;
    });
    await page.fill('#code', '2222-2222-222A');
    await page.click('#check');
    await page.locator('#check.working[aria-disabled="true"]').waitFor();
    await page.locator('#check').dispatchEvent('click');
    await site.look(page, 'waiting-phone');
    assert.equal(asked, 1);
    await page.clock.fastForward(21000);
    await page.locator('#code-told', { hasText: 'не ответил вовремя' })
        .waitFor();
    assert.equal(await page.getAttribute('#check', 'aria-disabled'), null);
});

test('a server that is away, or a password that is gone, is told',
    async () => {
        const page = await site.desk('anna');

        for (const [status, words] of [[503, /не ответил/], [403, /не разре/],
            [429, /Слишком много/], [500, /не ответил/]])
        {
            await page.route('**/v1/promo/checks', (route) =>
                route.fulfill({ status, contentType: 'application/json',
                    body: status === 403
                        ? '{"type":"urn:leadq:problem:not-allowed"}'
                        : '{}' }), { times: 1 });
            assert.match(await site.check(page, '2222-2222-222A'), words);
        }
    });

test('a reload finds the visit that is open, and its code', async () => {
    const page = await site.desk('anna');

    await site.open(page);
    const { code } = await site.ask(page, '9161000002');

    await page.reload();
    await page.locator('#status', { hasText: 'был открыт' }).waitFor();
    await site.look(page, 'resumed-phone');
    assert.equal(await page.isVisible('#visitor'), false);
    await page.fill('#phone', '89161000002');
    await page.check('#consent_pd');
    await page.check('#consent_ads');
    await page.click('.leadq-get');
    await page.locator('.leadq-code:visible').waitFor();
    await site.typeCode(page, code);
    await page.locator('#phone-sum', { hasText: 'подтверждён' }).waitFor();
    assert.match(await site.end(page, 'test'), /пробным кодом/);
});

test('W-10: the browser keeps nothing but the session', async () => {
    const page = await site.desk('anna');

    await site.open(page);
    await site.prove(page, '9161000003');
    await page.fill('#code', '2222-2222-222A');
    assert.deepEqual(await page.evaluate(async () => [
        localStorage.length, sessionStorage.length,
        (await indexedDB.databases()).length, (await caches.keys()).length,
        (await navigator.serviceWorker.getRegistrations()).length,
        document.cookie, history.state,
    ]), [0, 0, 0, 0, 0, '', null]);
    const cookies = await page.context().cookies();

    assert.deepEqual(cookies.map((cookie) => [cookie.name, cookie.httpOnly]),
        [['leadq_session', true]]);
    assert.deepEqual(await page.$$eval('form :is(input, textarea)',
        (inputs) => inputs.filter((input) => !['radio', 'checkbox', 'hidden']
            .includes(input.type) && input.autocomplete !== 'off')
            .map((input) => input.outerHTML)), [], 'nor offers to');
    await site.end(page, 'left');
    assert.equal(await page.evaluate(() => [...document.querySelectorAll(
        'input:not([type=hidden], [type=radio], [type=checkbox])')]
        .map((input) => input.value).join('')), '');

    const reply = await page.request.get(`${site.SITE}desk.html`);

    assert.equal(reply.headers()['cache-control'], 'no-store');
    assert.match(reply.headers()['content-security-policy'],
        /default-src 'none'.*form-action 'none'/);
    assert.equal((await fetch(`${site.SITE}desk.html`)).status, 401);
    assert.equal((await fetch(`${site.SITE}v1/desk/me`)).status, 401);
});

test('a whole visit by keyboard, in English and in the dark', async () => {
    const page = await site.desk('anna', { locale: 'en-US',
        colorScheme: 'dark', viewport: site.DESKTOP });

    assert.match(await page.innerText('#who'), /advisor.*open 10:00/s);
    await page.focus('input[name="age"][value="sure"]');
    await page.keyboard.press('Space');
    for (const key of ['Tab', 'Tab', 'Space', 'Tab', 'Tab', 'Space', 'Tab']) {
        await page.keyboard.press(key);
    }
    assert.equal(await focused(page), 'answer-name');
    await page.keyboard.type('Vera');
    await page.keyboard.press('Tab');
    await page.keyboard.press('ArrowDown');
    await site.look(page, 'questions-english');
    await page.keyboard.press('Enter');
    await page.locator('#number:visible').waitFor();
    await page.keyboard.type('89161000004');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Space');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Space');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await page.locator('.leadq-told', { hasText: 'Ask for the code' })
        .waitFor();
    await site.look(page, 'sms-english');
    const url = 'api/sends?phone=79161000004&gateway=sms';
    const { code } = await site.waitFor('the SMS', async () =>
        (await site.api(url))[0]);

    await page.keyboard.type(code);
    await page.keyboard.press('Enter');
    await page.locator('#phone-sum', { hasText: 'is proved' }).waitFor();
    assert.equal(await focused(page), 'code-title');
    await page.focus('input[name="outcome"][value="test"]');
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Enter');
    await page.locator('#done', { hasText: 'Tomorrow'.toLowerCase() })
        .waitFor();
    assert.equal(await focused(page), 'done-title');
    await site.look(page, 'done-english');
    await page.click('text=Русский');
    assert.match(await page.innerText('#done'), /завтра придёт SMS/,
        'the language changes in the middle');
    assert.deepEqual(page.complaints, []);
});
