'use strict';

/* A person with a phone, from the partner's link to "you are in the club". */

const assert = require('node:assert');
const { test, before, after } = require('node:test');
const site = require('./site');

before(site.open);
after(site.close);

async function join(page, email) {
    await page.fill('#email', email);
    await page.check('#consent_pd');
    await page.click('form .button');
}

test('a lead goes from the form to the approved postback', async () => {
    const page = await site.visitor({ timezoneId: 'Asia/Vladivostok' });

    await page.goto(`${site.SITE}?subid=browser-1`);
    await site.shot(page, 'landing-phone');
    await page.fill('#name', 'Анна');
    await join(page, 'chain@polka.example');
    await page.waitForURL('**/thanks.html*');
    await site.shot(page, 'thanks-phone');
    await site.postback('browser-1', 'processed');
    assert.equal(site.sql(`select time_zone from leadq.contact
        join leadq.lead using (contact_id) where click_id = 'browser-1'`),
    'Asia/Vladivostok');

    const mail = await site.letter('chain@polka.example');
    assert.match(mail.text, /Анна/);
    await page.goto(site.linkIn(mail, 'c'));
    await site.shot(page, 'confirm-phone');
    assert.equal(await page.locator('button:visible').count(), 1);
    assert.equal(site.leadState('browser-1'), 'pending');

    await page.click('button');
    await page.waitForURL('**/confirmed.html*');
    await site.shot(page, 'confirmed-phone');
    assert.equal(site.leadState('browser-1'), 'approved');
    await site.postback('browser-1', 'approved');
    assert.deepEqual(page.complaints, []);

    await page.goto(site.linkIn(mail, 'c'));
    await page.click('button');
    await page.waitForURL('**/confirmed.html*');
});

test('visiting a link confirms nothing', async () => {
    const mail = await site.leaveLead('browser-2', 'scan@polka.example');
    const link = site.linkIn(mail, 'c');
    const page = await site.visitor();

    for (const init of [
        { method: 'HEAD' },
        { headers: { 'Sec-Purpose': 'prefetch', Purpose: 'prefetch' } },
        { headers: { Accept: '*/*', 'User-Agent': 'LinkScanner/1.0' } },
    ]) {
        const reply = await fetch(link, init);
        assert.equal(reply.status, 200);
        assert.equal(reply.headers.get('referrer-policy'), 'no-referrer');
        assert.equal(reply.headers.get('x-robots-tag'), 'noindex');
        assert.equal(reply.headers.get('cache-control'), 'no-store');
    }
    await page.goto(link);
    await page.mouse.move(100, 100);
    await page.waitForTimeout(1500);
    await page.reload();
    assert.equal(site.leadState('browser-2'), 'pending');
});

test('a page without a script serves a lead as well', async () => {
    const page = await site.visitor({ javaScriptEnabled: false });

    await page.goto(site.SITE);
    await join(page, 'plain@polka.example');
    await page.waitForURL('**/thanks.html');
    const mail = await site.letter('plain@polka.example');
    await page.goto(site.linkIn(mail, 'c'));
    await page.click('button');
    await page.waitForURL('**/confirmed.html*');
});

test('a broken or old link says what to do', async () => {
    const page = await site.visitor();

    await page.goto(`${site.SITE}c/AbCdEfGh`);
    await page.click('button');
    await page.waitForURL('**/link.html*');
    await site.shot(page, 'link-phone');
    assert.match(await page.textContent('main'), /не.действует/);
});

test('"this was not me" ends the letters', async () => {
    const mail = await site.leaveLead('browser-3', 'notme@polka.example');
    const page = await site.visitor();

    await page.goto(site.linkIn(mail, 'u'));
    await site.shot(page, 'unsubscribe-phone');
    assert.equal(site.leadState('browser-3'), 'pending');
    await page.click('button');
    await page.waitForURL('**/unsubscribed.html*');
    assert.equal(site.leadState('browser-3'), 'rejected');
    await site.postback('browser-3', 'rejected');
});

test('a mail program unsubscribes in one click, without a redirect',
    async () => {
        const mail = await site.leaveLead('browser-4', 'one@polka.example');
        const header = mail.headers.find(
            (item) => item.name.toLowerCase() === 'list-unsubscribe');
        const reply = await fetch(header.value.replace(/[<>]/g, ''), {
            method: 'POST',
            redirect: 'manual',
            headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
            body: 'List-Unsubscribe=One-Click',
        });

        assert.equal(reply.status, 200);
        assert.equal(site.leadState('browser-4'), 'rejected');
    });
