'use strict';

/*
 * An advisor's whole day: page, nginx, PostgreSQL, worker, gateways.  What
 * goes wrong with the network and for other readers is in
 * desk_trouble.test.js.
 */

const assert = require('node:assert');
const { test, before, beforeEach, after } = require('node:test');
const site = require('./desk');

before(site.launch);
beforeEach(() => site.faults({}));
after(site.close);

/* The last visit of the advisor: columns of it. */
function visit(what, advisor = 'anna') {
    return site.sql(`select ${what} from leadq.visit v
        join leadq.advisor a using (advisor_id)
        where a.name = '${advisor}' order by opened_at desc limit 1`);
}

test('who tries it leaves with a trial code', async () => {
    const page = await site.desk('anna');

    assert.match(await page.innerText('#who'), /Анна, консультант/);
    await site.look(page, 'begin-phone');
    await site.choose(page, 'age', 'sure');
    await site.choose(page, 'pd', 'yes');
    await page.click('text=Текст согласия');
    assert.match(await page.innerText('#pd-words'), /персональных данных/);
    await site.look(page, 'questions-phone');
    await site.open(page);
    assert.equal(await page.evaluate(() => document.activeElement.id),
        'phone');
    await site.look(page, 'number-phone');
    const { code, text } = await site.ask(page, '9160010001');

    assert.equal(code.length, 4, 'W-9: four digits');
    assert.match(text, /Назовите его консультанту/);
    await page.locator('.leadq-told', { hasText: 'SMS с кодом ушла' })
        .waitFor();
    assert.match(await page.innerText('.leadq-wait'), /повторить через 0:/);
    await site.look(page, 'sms-phone');
    await site.typeCode(page, code);
    await page.locator('#phone-sum', { hasText: 'подтверждён' }).waitFor();
    assert.match(await page.innerText('#follows-test'), /пробным кодом/);
    await site.look(page, 'proved-phone');
    const done = await site.end(page, 'test');

    assert.match(done, /попробовал.*SMS с пробным кодом/);
    await site.look(page, 'done-phone');
    assert.equal(visit(`concat_ws(' ', outcome, answers ->> 'found',
        consent_ads, verification_id is not null)`), 'test friend t t');
    await page.locator('#last li:first-child', {
        hasText: /Попробовал.*\+7.916.\*\*\*/ }).waitFor();
    await page.click('#next');
    assert.equal(await page.inputValue('#phone'), '', 'nothing of him stays');

    const sms = await site.waitFor('W-15: the SMS', async () =>
        (await site.api('api/sends?phone=79160010001&gateway=bulk'))[0]);
    const [trial] = sms.text.match(/[2-9A-Z]{4}-?[2-9A-Z]{4}-?[2-9A-Z]{4}/);

    await site.open(page);
    await site.prove(page, '9160010001');
    assert.match(await site.check(page, trial), /Пробный день: 10 %/);
    await page.click('text=Занять скидку');
    await page.click('text=Продано со скидкой');
    assert.match(await site.end(page, 'purchase'),
        /купил.*завтра придёт SMS/, 'only now he joins the programme');
    assert.deepEqual(page.complaints, []);
});

test('who buys is told of the code for friends', async () => {
    const page = await site.desk('anna', { viewport: site.DESKTOP });

    await site.look(page, 'begin-desktop');
    await site.open(page, { age: 'document' });
    await site.prove(page, '9160010002');
    await site.look(page, 'proved-desktop');
    assert.match(await site.end(page, 'purchase'),
        /купил.*завтра придёт SMS с кодом/);
    await site.look(page, 'done-desktop');
    assert.equal(visit("concat_ws(' ', age, outcome)"), 'document purchase');
    await site.waitFor('the code is issued', () => site.sql(`select p.name
        from leadq.promo_code c join leadq.programme p using (programme_id)
        join leadq.address a on a.contact_id = c.owner_id
        where a.value = '+79160010002'`) === 'friends');
});

test('friends buy with a code, and the fourth one cannot', async () => {
    const [code] = site.codes('friends', 1);
    const page = await site.desk('anna');

    assert.match(await site.check(page, code),
        /Код действует.*20 %.*осталось использований: 3 · до \d+/);
    await site.look(page, 'code-phone');
    for (let friend = 1; friend <= 3; friend += 1) {
        await site.open(page);
        await site.prove(page, `916002000${friend}`);
        await site.check(page, code.toLowerCase().replace(/-/g, ' '));
        await page.click('text=Занять скидку');
        await page.locator('#code-told', { hasText: 'Скидка занята до' })
            .waitFor();
        if (friend === 1) {
            await site.look(page, 'reserved-phone');
            await site.choose(page, 'outcome', 'purchase');
            await page.click('#finish');
            assert.match(await page.innerText('#end-problem'),
                /отметьте выше, что она продана/);
            await page.fill('#receipt', '17');
        }
        await page.click('text=Продано со скидкой');
        await page.locator('#code-told', { hasText: 'Скидка отдана' })
            .waitFor();
        if (friend === 1) {
            await site.look(page, 'redeemed-phone');
        }
        assert.equal(await page.isDisabled('input[value="test"]'), true);
        await page.click('#finish');
        await page.locator('#done:visible').waitFor();
        await page.click('#next');
    }
    assert.equal(visit(`(select state || ' ' || coalesce(receipt, '-')
        from leadq.redemption r where r.redemption_id = v.redemption_id)`),
    'redeemed -');
    await site.open(page);
    await site.prove(page, '9160020004');
    assert.match(await site.check(page, code),
        /использован столько раз, сколько можно/);
    await site.look(page, 'exhausted-phone');
    assert.match(await site.end(page, 'left'), /Сообщений не будет/);
    assert.deepEqual(page.complaints, []);
});

test('who changes his mind leaves the discount to others', async () => {
    const [code] = site.codes('friends', 1);
    const page = await site.desk('anna');

    await site.open(page);
    await site.prove(page, '9160030001');
    await site.check(page, code);
    await page.click('text=Занять скидку');
    await page.click('text=Отпустить');
    await page.locator('#code-told', { hasText: 'снова свободна' }).waitFor();
    await page.click('text=Занять скидку');
    await page.locator('#receipt').waitFor();
    assert.match(await site.end(page, 'test'), /SMS с пробным кодом/);
    assert.equal(site.sql(`select used + reserved from leadq.promo_code
        where code = '${code.replace(/-/g, '')}'`), '0',
    'what was reserved is free when the visit is over');
    assert.equal(visit('outcome'), 'test', 'with the proof of his number');
    assert.equal(site.sql(`select kind from leadq.referral where referral_id
        = '${visit('visit_id')}'`), 'visit', 'whose friend he is, is known');
});

test('W-6: who cannot prove the age is asked nothing', async () => {
    const page = await site.desk('anna');

    await site.choose(page, 'age', 'unproved');
    assert.match(await page.innerText('#underage'), /Ни теста, ни покупки/);
    assert.equal(await page.isVisible('#asked'), false);
    await site.look(page, 'underage-phone');
    await page.click('#turn-away');
    await page.locator('#done:visible').waitFor();
    await site.look(page, 'turned-away-phone');
    assert.equal(visit(`concat_ws(' ', age, outcome, answers is null,
        contact_id is null, consent_pd)`), 'unproved left t t f');
});

test('W-11: a refusal keeps no number, and is no obstacle', async () => {
    const page = await site.desk('anna');
    const sent = [];

    page.on('request', (request) => sent.push(request.postData() || ''));
    await site.open(page);
    await page.fill('#phone', '89160040001');
    await page.click('text=Не даёт номер');
    await page.locator('#phone-sum', { hasText: 'не даёт' }).waitFor();
    assert.equal(await page.inputValue('#phone'), '');
    await site.look(page, 'refused-phone');
    assert.match(await site.end(page, 'purchase'), /Сообщений не будет/);
    assert.equal(sent.some((body) => body.includes('916004')), false,
        'what was typed was not sent');
    assert.equal(visit("concat_ws(' ', outcome, refusal)"),
        'purchase phone');

    await page.click('#next');
    await site.open(page, { pd: 'no', ads: 'no' });
    assert.equal(await page.isVisible('#number'), false,
        'without the consent there is no question of a number');
    await site.end(page, 'test');
    assert.equal(visit(`concat_ws(' ', refusal, answers is null)`),
        'phone t');
});

test('a wrong code is counted, the last one ends it', async () => {
    const page = await site.desk('anna');

    await site.open(page);
    const { code } = await site.ask(page, '9160050001');
    const wrong = String((Number(code) + 1) % 10000).padStart(4, '0');

    for (const left of [2, 1]) {
        await site.typeCode(page, wrong);
        await page.locator('.leadq-error', { hasText: `Осталось: ${left}` })
            .waitFor();
    }
    await site.look(page, 'wrong-phone');
    await site.typeCode(page, wrong);
    await page.locator('.leadq-error', { hasText: 'попытки закончились' })
        .waitFor();
    await page.click('text=Код не пришёл');
    await site.end(page, 'test');
    assert.equal(visit('refusal'), 'code');
});

test('the same number again ends without it (threat 20)', async () => {
    const page = await site.desk('anna');

    for (const time of [1, 2]) {
        await site.open(page);
        await site.prove(page, '9160060001');
        await site.choose(page, 'outcome', 'test');
        await page.click('#finish');
        if (time === 1) {
            await page.click('#next');
        }
    }
    await page.locator('#end-problem', { hasText: 'последние 30 дней' })
        .waitFor();
    await site.look(page, 'repeat-phone');
    await page.click('#finish-repeat');
    await page.locator('#done:visible').waitFor();
    assert.equal(visit('refusal'), 'repeat');
});

test('W-28: trouble is reported, answered by the supervisor, and read',
    async () => {
        const page = await site.desk('anna');

        await site.check(page, site.codes('cards', 1)[0]);
        await page.click('#trouble');
        await page.click('#report-send');
        await page.locator('#report-problem', { hasText: 'Напишите' })
            .waitFor();
        await page.fill('#report-text', 'Код проверен,\nа кнопки нет');
        await page.click('#report-send');
        await page.locator('#report-told', { hasText: /Обращение \d+ принято/ })
            .waitFor();
        await site.look(page, 'reported-phone');
        assert.equal(site.sql(`select cardinality(requests) >= 2
            from leadq.ticket order by number desc limit 1`), 't');
        await page.click('#help-close');

        const boss = await site.desk('olga', { viewport: site.DESKTOP });
        const item = boss.locator('#tickets-list > li', {
            hasText: 'кнопки нет' }).first();

        await item.waitFor();
        await site.look(boss, 'supervisor-desktop');
        await item.locator('text=Взять в работу').click();
        await item.locator('.tag', { hasText: 'в работе' }).waitFor();
        await item.locator('textarea').fill('Кнопка появится с номером.');
        await item.locator('.acts .button').click();
        await item.locator('.answer', { hasText: 'Ольга: Кнопка' }).waitFor();
        assert.deepEqual(boss.complaints, []);

        await page.reload();
        await page.locator('#unread:visible').waitFor();
        await page.click('#trouble');
        await page.locator('#mine li.fresh .answer', {
            hasText: 'появится с номером' }).waitFor();
        await site.look(page, 'answered-phone');
        await page.click('#help-close');
        await page.locator('#unread').waitFor({ state: 'hidden' });
    });

test('a supervisor takes a sale back, with a reason', async () => {
    const [code] = site.codes('cards', 1);
    const page = await site.desk('anna');
    const last = `…${code.replace(/-/g, '').slice(-4)}`;

    await site.open(page);
    await site.prove(page, '9160070001');
    await site.check(page, code);
    await page.click('text=Занять скидку');
    await page.click('text=Продано со скидкой');
    await page.locator('#code-told', { hasText: 'Скидка отдана' }).waitFor();
    await site.end(page, 'purchase');
    assert.equal(await page.isVisible('#sales'), false);

    const boss = await site.desk('olga');
    const item = boss.locator('#sales-list > li', { hasText: last });

    await item.locator('button').click();
    await item.locator('.acts .button').click();
    await item.locator('.problem', { hasText: 'причину' }).waitFor();
    await site.look(boss, 'rollback-phone');
    await item.locator('textarea').fill('Вернул товар');
    await item.locator('.acts .button').click();
    await item.locator('text=возвращена: Вернул товар').waitFor();
    assert.equal(site.sql(`select state || ' ' || used from leadq.redemption
        join leadq.promo_code using (code_id)
        where code = '${code.replace(/-/g, '')}'`), 'rolled_back 0');
    assert.deepEqual(boss.complaints, []);
});
