'use strict';

/* A person proves the phone: page, nginx, PostgreSQL, worker, gateways. */

const assert = require('node:assert');
const { test, before, beforeEach, after } = require('node:test');
const site = require('./site');

const DONE = '.leadq-done:visible';

before(site.open);
beforeEach(() => site.faults({}));
after(async () => {
    await site.faults({});
    await site.close();
});

/* Opens the landing and asks for a code to 8 PHONE. */
async function ask(phone, options) {
    const page = await site.visitor(options);

    await page.goto(`${site.SITE}phone.html?click_id=phone-${phone}`);
    await page.fill('#phone', `8${phone}`);
    await page.check('#consent_pd');
    await page.click('.leadq-get');
    await page.locator('.leadq-code').waitFor();
    return page;
}

/* What the gateways were asked to send to a number: SMS, or a call. */
function sends(phone, count) {
    return site.waitFor(`${count} sends to ${phone}`, async () => {
        const list = await site.api(`api/sends?phone=7${phone}`);

        return list.length >= count && list;
    });
}

async function typeCode(page, code) {
    await page.locator('.leadq-code').pressSequentially(code);
    await page.keyboard.press('Enter');
}

function told(page, pattern) {
    return page.locator('.leadq-told', { hasText: pattern }).waitFor();
}

function failed(page, pattern) {
    return page.locator('.leadq-error', { hasText: pattern }).waitFor();
}

/* A column of the phone's last verification. */
function verification(phone, what) {
    return site.sql(`select ${what} from leadq.verification v
        where phone = '+7${phone}' order by created_at desc limit 1`);
}

/* Digits that are not the code. */
function otherThan(code) {
    return String((Number(code) + 1) % 10 ** code.length)
        .padStart(code.length, '0');
}

test('a call, its last digits, and the lead has a proved phone', async () => {
    const page = await ask('9111110001');

    await told(page, /Ждём звонок на \+7.911/);
    await site.shot(page, 'phone-call');
    const [call] = await sends('9111110001', 1);

    assert.deepEqual([call.gateway, call.code.length], ['call', 4]);
    assert.match(await page.innerText('.leadq-step label'),
        /Последние 4.цифры/);
    await typeCode(page, call.code);
    await page.locator(DONE, { hasText: 'подтверждён' }).waitFor();
    const id = await page.inputValue('[name=verification]');

    assert.equal(verification('9111110001', 'verification_id'), id);
    assert.equal(verification('9111110001', 'state'), 'verified');
    await page.fill('#email', 'proved@polka.example');
    await page.click('form > .button');
    await page.waitForURL('**/thanks.html*');
    assert.equal(site.sql(`select l.phone || ' ' || (v.used_by = l.lead_id)
          from leadq.lead l join leadq.verification v on v.used_by = l.lead_id
         where l.click_id = 'phone-9111110001'`), '+79111110001 true');
    assert.deepEqual(page.complaints, []);

    const cookies = await page.context().cookies();
    assert.equal(cookies.length, 1, 'nothing is kept but the session');
    assert.deepEqual([cookies[0].httpOnly, cookies[0].sameSite],
        [true, 'Lax']);
});

test('no call gets through: an SMS comes by itself', async () => {
    await site.faults({ gateway: [{ gateway: 'call', does: 'refuse' }] });
    const page = await ask('9122220002');

    await told(page, /Отправили SMS с кодом/);
    const [call, sms] = await sends('9122220002', 2);

    assert.deepEqual([call.gateway, sms.gateway], ['call', 'sms']);
    assert.match(sms.text, /^Код \d{6}\. /);
    assert.match(sms.text, new RegExp(`\\n\\n@\\S+ #${sms.code}$`));
    await site.waitFor('the receipt', () => verification('9122220002',
        'state') === 'delivered');
    await page.locator('.leadq-code').fill(sms.code);
    await page.locator(DONE).waitFor();
});

test('an SMS is good while the page still waits for a call', async () => {
    const page = await ask('9520000001');

    site.sql(`update leadq.verification set next_send_at = leadq.now()
        where phone = '+79520000001'`);
    await page.evaluate((path) => fetch(path, { method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body: '{"channel":"sms"}' }), `/v1/verifications/${
        verification('9520000001', 'verification_id')}/resend`);
    const [, sms] = await sends('9520000001', 2);

    await page.locator('.leadq-code').fill(sms.code);
    await page.locator(DONE).waitFor();
});

test('a gateway that is slow, away or mad costs time, not the code',
    async () => {
        for (const [i, fault] of [{ does: 500 }, { does: 'garbage' },
            { does: 'reset' }, { does: 429, retry_after: 1 },
            { delay_ms: 1000 }].entries())
        {
            const phone = `92${i}${i}${i}${i}0001`;

            await site.faults({ gateway: [{ gateway: 'call', does: 'refuse' },
                { gateway: 'sms', times: 1, ...fault }] });
            const page = await ask(phone);

            const sms = await site.waitFor(`SMS ${i}`, async () =>
                (await sends(phone, 1)).find((send) => send.taken));

            await page.locator('.leadq-code').fill(sms.code);
            await page.locator(DONE).waitFor();
            await page.context().close();
        }
    });

test('wrong codes are counted, and the last one ends it', async () => {
    const page = await ask('9133330003');
    const [call] = await sends('9133330003', 1);

    for (let left = 4; left > 0; left -= 1) {
        await typeCode(page, otherThan(call.code));
        await failed(page, new RegExp(`Осталось: ${left}.попыт`));
    }
    await site.shot(page, 'phone-wrong');
    await typeCode(page, otherThan(call.code));
    await failed(page, /попытки закончились/);
    assert.equal(verification('9133330003', 'state'), 'locked');
    await page.click('.leadq-get');
    await told(page, /Ждём звонок/);
    const [, next] = await sends('9133330003', 2);

    await typeCode(page, next.code);
    await page.locator(DONE).waitFor();
});

test('a reload loses nothing, another browser gains nothing', async () => {
    const page = await ask('9144440004');
    const [call] = await sends('9144440004', 1);
    const id = verification('9144440004', 'verification_id');
    const stranger = await fetch(`${site.SITE}v1/verifications/${id}/check`, {
        method: 'POST', headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify({ code: call.code }) });

    assert.equal(stranger.status, 410, 'without the session');
    await page.reload();
    await page.fill('#phone', '+7 914 444-00-04');
    await page.check('#consent_pd');
    await page.click('.leadq-get');
    await page.locator('.leadq-code').waitFor();
    assert.equal(verification('9144440004', 'count(*) over ()'), '1');
    await typeCode(page, call.code);
    await page.locator(DONE).waitFor();
    assert.equal(await page.inputValue('[name=verification]'), id);
});

test('after the pause one may ask for the other way', async () => {
    const page = await ask('9155550005');

    await sends('9155550005', 1);
    await page.locator('.leadq-wait', { hasText: /через 0:/ }).waitFor();
    site.sql(`update leadq.verification set next_send_at = leadq.now()
        where phone = '+79155550005'`);
    await page.click('text=Получить код по SMS');
    await told(page, /SMS/);
    const list = await sends('9155550005', 2);

    assert.equal(list[1].gateway, 'sms');
    await page.locator('.leadq-code').fill(list[1].code);
    await page.locator(DONE).waitFor();
});

test('another number ends the first one; a foreign one is not served',
    async () => {
        const page = await ask('9166660006');

        await page.click('.leadq-change');
        await site.waitFor('it is cancelled', () => verification('9166660006',
            'state') === 'cancelled');
        await page.fill('#phone', '8 495 123-45-67');
        await page.click('.leadq-get');
        await failed(page, /номер мобильного/);
        assert.equal(await page.evaluate(() => document.activeElement.id),
            'phone');
    });

test('without a script the form is a form', async () => {
    const page = await site.visitor({ javaScriptEnabled: false });

    await page.goto(`${site.SITE}phone.html`);
    await page.fill('#email', 'noscript@polka.example');
    await page.fill('#phone', '8 953 000-00-01');
    await page.check('#consent_pd');
    await page.click('form > .button');
    await page.waitForURL('**/thanks.html');
    assert.equal(verification('9530000001', 'count(*) over ()'), '');
});

test('a proof serves one lead', async () => {
    const page = await ask('9177770007');
    const [call] = await sends('9177770007', 1);

    await typeCode(page, call.code);
    await page.locator(DONE).waitFor();
    await page.fill('#email', 'once@polka.example');
    await page.click('form > .button');
    await page.waitForURL('**/thanks.html*');
    await page.goBack();
    await page.locator('.leadq-box').waitFor();
    if (await page.locator(DONE).count() === 0) {
        return; /* the browser has built the page anew */
    }
    await page.click('form > .button');
    await page.waitForURL('**/sorry.html?error=verification-used*');
    assert.match(await page.innerText('main'), /уже использовано/);
});

test('the outside world shows who calls and what was sent', async () => {
    const page = await site.visitor({ viewport: site.DESKTOP });
    const other = await ask('9510000001');
    const [call] = await sends('9510000001', 1);

    site.sql(`update leadq.verification set next_send_at = leadq.now()
        where phone = '+79510000001'`);
    await other.click('text=Получить код по SMS');
    const [, sms] = await sends('9510000001', 2);

    await page.goto(process.env.WORLD_URL);
    const items = page.locator('#sends details', { hasText: '79510000001' });

    await items.nth(1).waitFor();
    assert.match(await items.nth(1).innerText(), new RegExp(
        `call\\s+\\+7 495 000-${call.code.slice(0, 2)}-${
            call.code.slice(2)}`));
    assert.ok((await items.nth(0).innerText()).includes(sms.text));
    await items.nth(0).locator('.tag.ok', { hasText: 'delivered' }).waitFor();
    await site.shot(page, 'world-sends-desktop');
    await page.setViewportSize(site.PHONE);
    assert.equal(await page.evaluate(
        () => document.documentElement.scrollWidth), 360);
    assert.deepEqual(page.complaints, []);
});

test('too many starts are told, with the time to wait', async () => {
    const page = await ask('9188880008', { locale: 'en-US' });

    for (let i = 0; i < 40; i += 1) {
        await fetch(`${site.SITE}v1/verifications`, { method: 'POST',
            headers: { 'Content-Type': 'application/json' },
            body: JSON.stringify({ phone: `+79${10 + i}3000001`,
                consent_pd: true }) });
    }
    await page.click('.leadq-change');
    await page.fill('#phone', '89199990009');
    await page.click('.leadq-get');
    await failed(page, /Too many requests.*Try again/);
    assert.match(page.url(), /phone\.html/);
});
