'use strict';

/*
 * The field for a code, whatever the house answers.  The answers are those
 * of the API's description, given in the house's place; phone.test.js has the
 * house itself.
 */

const assert = require('node:assert');
const { readFileSync } = require('fs');
const { test, before, after } = require('node:test');
const site = require('./site');

const AXE = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');
const ID = '0198c000-0000-7000-8000-000000000001';
const MASKED = '+7 912 ***-**-67';
const UNDER_WAY = { id: ID, state: 'sent', phone_masked: MASKED,
    code_length: 6, expires_in: 300, resend_after: 30, checks_left: 5,
    channel: 'sms' };

before(site.open);
after(site.close);

function problem(status, name, more, headers) {
    return { status, headers, body: { type: `urn:leadq:problem:${name}`,
        title: name, status, ...more } };
}

/*
 * A page whose requests are answered by answers[what], what being start,
 * check, resend, look or cancel: a status, an object for a 2xx, a problem, or
 * 'offline'.  page.asked has [what, body] of all of them.
 */
async function visit(answers, options) {
    const page = await site.visitor(options);

    page.asked = [];
    await page.route('**/v1/verifications**', (route) => {
        const request = route.request();
        const [, last] = /\/(check|resend)$/.exec(request.url()) || [];
        const what = last || { GET: 'look', DELETE: 'cancel' }[
            request.method()] || 'start';
        const answer = page.answers[what];

        page.asked.push([what, request.postDataJSON()]);
        if (answer === 'offline') {
            return route.abort('internetdisconnected');
        }
        const { status, body, headers } = answer.body ? answer
            : typeof answer === 'number' ? { status: answer }
                : { status: /start|resend/.test(what) ? 202 : 200,
                    body: answer };

        return route.fulfill({ status, headers: { ...headers,
            'content-type': 'application/json' },
        body: body ? JSON.stringify(body) : '' });
    });
    return again(page, answers);
}

/* The same page anew, with other answers. */
async function again(page, answers) {
    page.answers = { start: UNDER_WAY, cancel: 204, ...answers };
    page.answers.look = page.answers.look || page.answers.start;
    await page.goto(`${site.SITE}phone.html?${Math.random()}`);
    await page.locator('.leadq-get').waitFor();
    return page;
}

async function ask(page) {
    await page.fill('#phone', '8 912 345-67-67');
    await page.check('#consent_pd');
    await page.click('.leadq-get');
}

async function typeCode(page, code) {
    await page.locator('.leadq-code').pressSequentially(code);
    await page.keyboard.press('Enter');
}

function focused(page) {
    return page.evaluate(() => document.activeElement.className
        || document.activeElement.id);
}

function said(page, name) {
    return page.locator(`.leadq-${name}`);
}

function verification(page) {
    return page.inputValue('[name=verification]');
}

test('a code that is right marks the form, and the page hears of it',
    async () => {
        const page = await visit({ check: { state: 'verified',
            result_expires_in: 1800 } });

        await page.evaluate(() => document.addEventListener('leadq-verified',
            (event) => {
                document.title = `proved ${event.detail.id}`;
            }));
        await ask(page);
        await said(page, 'told').filter({ hasText: '+7 912' }).waitFor();
        assert.equal(await focused(page), 'leadq-code');
        assert.deepEqual(page.asked[0], ['start', { phone: '8 912 345-67-67',
            lang: 'ru', consent_pd: true, consent_ads: false,
            text_version: 'phone-1' }]);
        await typeCode(page, '012345');
        await said(page, 'done').filter({ hasText: 'подтверждён' }).waitFor();
        assert.deepEqual(page.asked.find(([what]) => what === 'check')[1],
            { code: '012345' });
        assert.equal(await focused(page), 'leadq-done');
        assert.equal(await verification(page), ID);
        assert.equal(await page.title(), `proved ${ID}`);
        assert.deepEqual(await page.evaluate(() => [localStorage.length,
            sessionStorage.length, document.cookie]), [0, 0, '']);
        assert.deepEqual(page.complaints, []);

        await page.click('.leadq-change');
        assert.equal(await verification(page), '');
        assert.equal(await focused(page), 'phone');
    });

test('the field is what a phone fills in by itself', async () => {
    const page = await visit();

    await ask(page);
    await said(page, 'code').waitFor();
    assert.deepEqual(await said(page, 'code').evaluate((code) => [code.type,
        code.inputMode, code.autocomplete, code.pattern, code.maxLength,
        code.name, code.labels.length, getComputedStyle(code).fontSize]),
    ['text', 'numeric', 'one-time-code', '[0-9]*', 8, '', 1, '22px']);
});

test('what the phone fills in is checked at once, what is typed is not',
    async () => {
        const page = await visit({ check: problem(422, 'code-mismatch',
            { checks_left: 3 }) });

        await ask(page);
        await said(page, 'code').pressSequentially('12a34 56');
        assert.equal(await said(page, 'code').inputValue(), '123456');
        assert.ok(!page.asked.some(([what]) => what === 'check'));
        await said(page, 'code').fill('654321');
        await said(page, 'error').filter({ hasText: 'Осталось: 3 попытки' })
            .waitFor();
        assert.equal(await focused(page), 'leadq-code');
        assert.equal(await said(page, 'code').getAttribute('aria-invalid'),
            'true');
        page.answers.check = { state: 'verified', result_expires_in: 1800 };
        await said(page, 'code').evaluate((code) => {
            const data = new DataTransfer();

            data.setData('text', 'Код 111 222.');
            code.dispatchEvent(new ClipboardEvent('paste',
                { clipboardData: data, bubbles: true, cancelable: true }));
        });
        await said(page, 'done').filter({ hasText: '+7 912' }).waitFor();
        assert.deepEqual(page.asked.filter(([what]) => what === 'check')
            .map(([, body]) => body.code), ['654321', '111222']);
    });

test('an SMS that the browser reads is checked at once (Web OTP)',
    async () => {
        const page = await visit({ check: { state: 'verified',
            result_expires_in: 1800 } });

        await page.evaluate(() => {
            globalThis.OTPCredential = globalThis.OTPCredential || class {};
            navigator.credentials.get = async ({ otp }) => ({
                code: otp.transport[0] === 'sms' ? '777888' : '' });
        });
        await ask(page);
        await said(page, 'done').filter({ hasText: '+7 912' }).waitFor();
        assert.deepEqual(page.asked[1], ['check', { code: '777888' }]);
    });

test('one is told how long to wait, and then may choose the way',
    async () => {
        const page = await visit({ start: { ...UNDER_WAY, channel: 'call',
            code_length: 4, resend_after: 2 }, resend: UNDER_WAY });

        await ask(page);
        await said(page, 'wait').filter({
            hasText: /Можно повторить через 0:0[12]/ }).waitFor();
        assert.match(await said(page, 'told').innerText(),
            /Ждём звонок на .*: последние 4.цифры номера.— это код/);
        assert.match(await page.innerText('.leadq-step label'),
            /Последние 4.цифры номера, с которого позвонили/);
        await page.click('text=Получить код по SMS');
        await said(page, 'told').filter({ hasText: 'Отправили SMS' })
            .waitFor();
        assert.deepEqual(page.asked.find(([what]) => what === 'resend')[1],
            { channel: 'sms' });
        assert.equal(await said(page, 'more').count(), 0);
        assert.match(await said(page, 'spoken').innerText(),
            /Можно повторить через 0:/);
    });

test('the ear hears the timer every ten seconds', async () => {
    const page = await visit();

    await page.clock.install();
    await ask(page);
    await said(page, 'code').waitFor();
    await page.evaluate(() => {
        globalThis.heard = [];
        const spoken = document.querySelector('.leadq-spoken');

        new MutationObserver(() => globalThis.heard.push(
            spoken.textContent)).observe(spoken, { childList: true });
    });
    page.answers.look = 'offline';
    for (let i = 0; i < 31; i += 1) {
        await page.clock.runFor(1000);
    }
    assert.deepEqual((await page.evaluate(() => globalThis.heard)).map(
        (text) => text.replace('Можно повторить через ', '')),
    ['0:20', '0:10', 'Код можно запросить ещё раз']);
});

/* what is asked, the answer, what is said in Russian and in English */
const REFUSALS = [
    ['start', problem(429, 'too-many-requests', {}, { 'retry-after': '120' }),
        /Слишком много запросов.*через 2.минуты/,
        /Too many requests.*in 2.minutes/],
    ['start', problem(429, 'captcha-required'), /Слишком много.*позже/,
        /Too many.*later/],
    ['start', problem(422, 'consent-required'), /Отметьте согласие/,
        /Tick the consent/],
    ['start', problem(422, 'phone-not-served'), /не можем отправить код/,
        /cannot send a code to this number/],
    ['start', problem(422, 'validation', { errors: [{ field: 'phone',
        code: 'phone-too-short' }] }), /номер мобильного целиком/,
    /the whole mobile number/],
    ['start', problem(503, 'database-away', {}, { 'retry-after': '5' }),
        /недоступен.*через 5.секунд/, /is away.*in 5.seconds/],
    ['start', 'offline', /Нет связи/, /no connection/],
    ['start', 403, /Обновите страницу/, /Reload the page/],
    ['check', problem(410, 'verification-closed'), /больше не действует/,
        /no longer good/],
    ['check', problem(422, 'code-mismatch', { checks_left: 1 }),
        /Осталось: 1.попытка/, /1.attempt left/],
    ['check', problem(422, 'code-mismatch', { checks_left: 0 }),
        /попытки закончились/, /no attempts left/],
    ['check', problem(410, 'verification-closed'), /попытки закончились/,
        /no attempts left/, { checks_left: 1 }],
    ['check', problem(429, 'too-many-requests', {}, { 'retry-after': '41' }),
        /через 41.секунду/, /in 41.seconds/],
    ['check', 'offline', /Нет связи/, /no connection/],
    ['resend', problem(409, 'resend-limit'), /Больше отправить не можем/,
        /cannot send more/],
    ['resend', problem(410, 'verification-closed'), /больше не действует/,
        /no longer good/],
];

for (const [i, locale] of ['ru-RU', 'en-US'].entries()) {
    test(`every refusal is told in words: ${locale}`, async () => {
        const page = await visit({}, { locale });

        for (const refusal of REFUSALS) {
            const [what, answer] = refusal;

            await again(page, { start: { ...UNDER_WAY, resend_after: 0,
                ...refusal[4] }, [what]: answer });
            await ask(page);
            if (what === 'check') {
                await typeCode(page, '123456');
            }
            if (what === 'resend') {
                await said(page, 'more').first().click();
            }
            await said(page, 'error').filter({ hasText: refusal[2 + i] })
                .waitFor();
        }
    });
}

test('too early is no mistake: the time is put right', async () => {
    const page = await visit({ start: { ...UNDER_WAY, resend_after: 0 },
        resend: problem(429, 'resend-too-early', {}, { 'retry-after':
            '65' }) });

    await ask(page);
    await said(page, 'more').first().click();
    await said(page, 'wait').filter({ hasText: /через 1:0[45]/ }).waitFor();
    assert.equal(await said(page, 'error').innerText(), '');
});

test('what becomes of the code is seen without a reload', async () => {
    const page = await visit({ start: { ...UNDER_WAY, state: 'queued' } });

    await ask(page);
    await said(page, 'told').filter({ hasText: 'Отправляем код' }).waitFor();
    page.answers.look = { ...UNDER_WAY, channel: 'call' };
    await said(page, 'told').filter({ hasText: 'Ждём звонок' }).waitFor();
    page.answers.look = { ...UNDER_WAY, state: 'failed' };
    await said(page, 'error').filter({ hasText: 'Не получилось отправить' })
        .waitFor();
    assert.equal(await said(page, 'code').isVisible(), true);
    page.answers.look = { ...UNDER_WAY, state: 'delivered' };
    await said(page, 'told').filter({ hasText: 'SMS' }).waitFor();
    assert.equal(await said(page, 'error').innerText(), '');
    await page.click('.leadq-change');
    page.answers.start = { ...UNDER_WAY, expires_in: 1 };
    await page.click('.leadq-get');
    await said(page, 'error').filter({ hasText: 'Время вышло' }).waitFor();
    assert.equal(await focused(page), 'leadq-get');
    assert.match(await said(page, 'get').innerText(), /новый код/);
});

test('a captcha is the page\'s; its answer goes along', async () => {
    const page = await visit({ start: problem(429, 'captcha-required') });

    await page.evaluate(() => {
        const verify = document.querySelector('leadq-verify');
        const field = document.createElement('input');

        field.type = 'hidden';
        field.name = 'captcha_token';
        verify.append(field);
        verify.setAttribute('send', 'captcha_token');
        verify.addEventListener('leadq-captcha', (event) => {
            event.preventDefault();
            field.value = 'solved';
        });
    });
    await ask(page);
    await said(page, 'error').filter({ hasText: 'не робот' }).waitFor();
    page.answers.start = UNDER_WAY;
    await page.evaluate(() => document.querySelector('leadq-verify').start());
    await said(page, 'code').waitFor();
    assert.equal(page.asked[1][1].captcha_token, 'solved');
});

test('each start has a form token of its own', async () => {
    const page = await visit({});
    let issued = 0;

    await page.route('**/phone.html?*', async (route) => {
        const response = await route.fetch();
        const text = await response.text();

        await route.fulfill({ response, body: text.replace('<leadq-verify',
            '<leadq-verify token="/v1/form-token"') });
    });
    await page.route('**/v1/form-token', (route) => {
        issued += 1;
        return route.fulfill({ json: { token: `form-${issued}` } });
    });
    const renewed = () => page.waitForResponse('**/v1/form-token');

    await Promise.all([renewed(), again(page, {
        start: problem(429, 'captcha-required') })]);
    await ask(page);
    await said(page, 'error').filter({ hasText: /\S/ }).waitFor();
    page.answers.start = UNDER_WAY;
    await Promise.all([renewed(), page.click('.leadq-get')]);
    await page.click('.leadq-change');
    page.answers.start = problem(422, 'form-token', { errors: [
        { field: 'form_token', code: 'used' }] });
    await page.click('.leadq-get');
    await said(page, 'error').filter({ hasText: 'Обновите страницу' })
        .waitFor();
    assert.deepEqual(page.asked.filter(([what]) => what === 'start')
        .map(([, body]) => body.form_token), ['form-1', 'form-1', 'form-2']);
    assert.equal(issued, 2);
});

test('a keyboard is enough', async () => {
    const page = await visit({ check: { state: 'verified',
        result_expires_in: 1 } });
    const press = async (...keys) => {
        for (const key of keys) {
            await page.keyboard.press(key);
        }
    };

    await page.focus('#phone');
    await page.keyboard.type('89123456767');
    await press('Tab', 'Space', 'Tab', 'Tab', 'Tab');
    assert.equal(await focused(page), 'leadq-get');
    await press('Enter');
    await said(page, 'code').waitFor();
    await page.keyboard.type('123456');
    await press('Tab');
    assert.equal(await focused(page), 'leadq-check');
    await press('Space');
    await said(page, 'done').filter({ hasText: '+7 912' }).waitFor();
    await said(page, 'error').filter({ hasText: 'устарело' }).waitFor();
    assert.equal(await verification(page), '', 'a proof does not last');
});

test('the form is not sent before the phone is proved', async () => {
    const page = await visit();

    await page.fill('#email', 'anna@polka.example');
    await page.click('form > .button');
    assert.equal(await focused(page), 'phone');
    await page.fill('#phone', '8 912 345-67-67');
    await page.press('#phone', 'Enter');
    assert.equal(await focused(page), 'consent_pd');
    assert.match(await said(page, 'error').innerText(), /Отметьте согласие/);
    assert.deepEqual(page.asked, []);
    await page.check('#consent_pd');
    await page.click('form > .button');
    await said(page, 'code').waitFor();
    await page.click('form > .button');
    assert.match(await said(page, 'error').innerText(), /Сначала подтвердите/);
    assert.match(page.url(), /phone\.html/);
});

for (const colorScheme of ['light', 'dark']) {
    for (const [name, viewport] of [['phone', site.PHONE],
        ['desktop', site.DESKTOP]])
    {
        test(`it can be used by everybody: ${name}, ${colorScheme}`,
            async () => {
                const page = await visit({ start: { ...UNDER_WAY,
                    resend_after: 1 }, check: problem(422, 'code-mismatch',
                    { checks_left: 2 }) }, { colorScheme, viewport });
                const look = async (what) => {
                    assert.equal(await page.evaluate(
                        () => document.documentElement.scrollWidth),
                    viewport.width, 'no horizontal scroll');
                    await site.shot(page, `verify-${what}-${name}-${
                        colorScheme}`);
                    await page.evaluate(AXE);
                    const { violations } = await page.evaluate(
                        () => globalThis.axe.run());
                    assert.deepEqual(violations.map((v) => [what, v.id,
                        v.nodes.slice(0, 3).map((n) => n.html)]), []);
                    assert.deepEqual(await page.$$eval(
                        '.leadq-box button, .leadq-code', (list) => list
                            .map((e) => e.getBoundingClientRect())
                            .filter((box) => box.width && (box.height < 44
                                || box.width < 44)).length), 0);
                };

                await look('start');
                await ask(page);
                await said(page, 'wait').filter({ hasText: '0:' }).waitFor();
                await look('code');
                await said(page, 'more').first().waitFor();
                await typeCode(page, '123456');
                await said(page, 'error').filter({ hasText: '2' }).waitFor();
                await look('wrong');
                page.answers.check = { state: 'verified',
                    result_expires_in: 1800 };
                await typeCode(page, '654321');
                await said(page, 'done').filter({ hasText: '+7 912' }).waitFor();
                await look('done');
            });
    }
}
