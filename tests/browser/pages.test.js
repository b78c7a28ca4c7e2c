'use strict';

/* What every page owes its reader: language, problems in words, access. */

const assert = require('node:assert');
const { test, before, after } = require('node:test');
const site = require('./site');

const PAGES = ['', 'thanks.html', 'confirmed.html', 'unsubscribed.html',
    'link.html', 'c/x', 'u/x', 'phone.html',
    'sorry.html?error=verification-used',
    'sorry.html?error=email.email-no-domain,phone.phone-too-short,'
        + 'consent_pd.required'];

before(site.open);
after(site.close);

/* In the page: texts whose contrast is under 4.5 (3 when large). */
function faintTexts() {
    const luminance = (rgb) => rgb.slice(0, 3).map((c) => {
        const v = c / 255;
        return v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
    }).reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
    const parse = (text) => text.match(/[\d.]+/g).map(Number);
    const opaque = (element) => {
        for (let e = element; e; e = e.parentElement) {
            const rgb = parse(getComputedStyle(e).backgroundColor);
            if (rgb.length === 3 || rgb[3] > 0) {
                return rgb;
            }
        }
        return [255, 255, 255];
    };
    const faint = [];

    for (const element of document.querySelectorAll('body *')) {
        const text = [...element.childNodes].filter((n) => n.nodeType === 3)
            .map((n) => n.data).join('').trim();
        if (text && element.getClientRects().length > 0) {
            const style = getComputedStyle(element);
            const pair = [luminance(parse(style.color)),
                luminance(opaque(element))].sort((a, b) => b - a);
            const ratio = (pair[0] + 0.05) / (pair[1] + 0.05);
            if (ratio < (parseFloat(style.fontSize) >= 24 ? 3 : 4.5)) {
                faint.push(`${ratio.toFixed(2)} ${text}`);
            }
        }
    }
    return faint;
}

/* In the page: things to press that are too small for a finger. */
function smallTargets() {
    return [...document.querySelectorAll('button, .button, .langs a, .brand, '
        + 'input:not([type=hidden]):not([type=checkbox]), .check label')]
        .map((element) => [element, element.getBoundingClientRect()])
        .filter(([, box]) => box.width > 0
            && (box.height < 44 || box.width < 44))
        .map(([element]) => element.outerHTML.slice(0, 80));
}

for (const scheme of ['light', 'dark']) {
    for (const locale of ['ru-RU', 'en-US']) {
        test(`pages fit a phone and can be read: ${scheme}, ${locale}`,
            async () => {
                const page = await site.visitor({ colorScheme: scheme,
                    locale });

                for (const path of PAGES) {
                    await page.goto(site.SITE + path);
                    assert.equal(await page.evaluate(
                        () => document.documentElement.scrollWidth), 360,
                    `no horizontal scroll: ${path}`);
                    assert.deepEqual(await page.evaluate(faintTexts), [],
                        `contrast: ${path}`);
                    assert.deepEqual(await page.evaluate(smallTargets), [],
                        `targets: ${path}`);
                }
                assert.deepEqual(page.complaints, []);
            });
    }
}

test('every field has a label, and its name for autofill', async () => {
    const page = await site.visitor({ viewport: site.DESKTOP });

    await page.goto(site.SITE);
    await site.shot(page, 'landing-desktop');
    const fields = await page.$$eval('input:not([type=hidden])',
        (inputs) => inputs.map((input) => [input.name, input.labels.length,
            input.autocomplete, input.checked]));
    assert.deepEqual(fields, [
        ['email', 1, 'email', false],
        ['name', 1, 'name', false],
        ['phone', 1, 'tel', false],
        ['consent_pd', 1, '', false],
        ['consent_ads', 1, '', false],
    ]);
});

test('problems are shown beside their fields and summed up', async () => {
    const page = await site.visitor();

    await page.goto(site.SITE);
    await page.fill('#email', 'anna@gmial.com');
    await page.click('form .button');
    assert.equal(page.url(), site.SITE);
    assert.equal(await page.locator('.problems li').count(), 1);
    assert.equal(await page.evaluate(
        () => document.activeElement.className), 'problems');
    await site.shot(page, 'problems-phone');
    await page.click('#suggest button');
    assert.equal(await page.inputValue('#email'), 'anna@gmail.com');
    await page.click('.problems a');
    assert.equal(await page.evaluate(() => document.activeElement.id),
        'consent_pd');
});

test('the server has the last word, and the page names the field',
    async () => {
        const page = await site.visitor();

        await page.goto(site.SITE);
        await page.fill('#email', 'myaccount@mail');
        await page.check('#consent_pd');
        await page.click('form .button');
        assert.match(await page.textContent('.problems'), /адрес/);
        await page.click('form .button');
        await page.waitForURL('**/sorry.html?error=email.email-no-domain*');
        await site.shot(page, 'sorry-phone');
        assert.equal(await page.locator('li:visible').count(), 1);
        assert.match(await page.locator('li:visible').innerText(),
            /Почта.*домен/);
        await page.click('.button');
        await page.waitForURL(site.SITE);
        assert.equal(await page.inputValue('#email'), 'myaccount@mail');
    });

test('without a script the sorry page names the field too', async () => {
    const page = await site.visitor({ javaScriptEnabled: false });

    await page.goto(site.SITE);
    await page.fill('#email', 'myaccount@mail');
    await page.check('#consent_pd');
    await page.click('form .button');
    await page.waitForURL('**/sorry.html?error=*');
    assert.equal(await page.locator('li:visible').count(), 1);
    assert.match(await page.innerText('main'), /Почта.*домен/);
});

test('the language is the browser\'s, then the reader\'s', async () => {
    const page = await site.visitor({ locale: 'en-US' });

    await page.goto(`${site.SITE}?click_id=browser-lang`);
    assert.match(await page.innerText('h1'), /Things for the home/);
    assert.equal(await page.title(), 'Polka club: good things for the home');
    await page.click('text=Русский');
    assert.match(await page.innerText('h1'), /Вещи/);
    assert.equal(await page.getAttribute('html', 'lang'), 'ru');
    await page.click('text=English');
    await page.fill('#email', 'lang@polka.example');
    await page.check('#consent_pd');
    await page.click('form .button');
    await page.waitForURL('**/thanks.html#en');
    assert.match(await page.innerText('h1'), /One more step/);

    const mail = await site.letter('lang@polka.example');
    assert.match(mail.text, /Go to confirmation/);
    assert.deepEqual((await page.context().cookies()).map(
        (cookie) => [cookie.name, cookie.httpOnly]),
    [['leadq_session', true]], 'the session of the server, and no other');
});

test('without a script the page is Russian, or English by #en', async () => {
    const page = await site.visitor({ locale: 'en-US',
        javaScriptEnabled: false });

    await page.goto(`${site.SITE}c/x`);
    assert.match(await page.innerText('h1'), /Подтвердите/);
    await page.click('text=English');
    assert.equal(await page.innerText('h1'), 'Confirm your e-mail');
    await page.click('button:visible');
    await page.waitForURL(/\/link\.html.*#en$/);
    assert.match(await page.innerText('h1'), /does not work/);
});
