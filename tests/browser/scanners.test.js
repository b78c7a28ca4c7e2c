'use strict';

/* Mail scanners open every link before the person does, some with a browser
 * that runs scripts: whatever they fetch confirms and unsubscribes nobody, and
 * the buttons of mail programs and pages work all the same. */

const assert = require('node:assert');
const { test, before, after } = require('node:test');
const site = require('./site');

/* Letters of the landing are counted, and have a link of their own. */
const SHOP = `<a href="${site.SITE}thanks.html?a=1&amp;b=2">the shop</a>`;

before(() => {
    site.sql('update leadq.source set track_opens = true, track_clicks = true '
        + "where name = 'cpa-landing'");
    site.sql(`update leadq.template set html = replace(html, '</body>',
        '${SHOP}</body>') where name = 'doi-1'`);
    return site.open();
});
after(async () => {
    site.sql('update leadq.source set track_opens = false, '
        + 'track_clicks = false');
    site.sql(`update leadq.template set html = replace(html, '${SHOP}', '')`);
    await site.close();
});

/* What has happened to an address: consent, letters, and so on. */
function state(email) {
    return site.sql(`select a.state || ' ' || e.state
          || coalesce(' ' || (select string_agg(v.kind, ' ' order by event_id)
               from leadq.event v where v.contact_id = a.contact_id
                and v.kind ~ 'opened|clicked|confirmed|unsubscribed'), '')
         from leadq.address a join leadq.enrolment e on e.email = a.value
        where a.value = '${email}'`);
}

function fetchAs(url, method, headers) {
    return fetch(url, { method, headers, redirect: 'manual' });
}

/* The image of a letter. */
function imageIn(mail) {
    return mail.html.match(/<img src="([^"]+\/o\/[^"]+)"/)[1];
}

test('no fetch of a scanner confirms or unsubscribes', async () => {
    const email = 'scanned@polka.example';
    const mail = await site.leaveLead('scanned', email);
    const links = [site.linkIn(mail, 'c'), site.linkIn(mail, 'u')];
    const ways = [['HEAD', {}], ['GET', {}], ['OPTIONS', {}],
        ['GET', { Purpose: 'prefetch' }], ['GET', { 'Sec-Purpose':
            'prefetch;prerender' }], ['GET', { 'X-Purpose': 'preview' }],
        ['GET', { 'User-Agent': 'Barracuda Sentinel (EE)' }]];

    for (const link of links) {
        for (const [method, headers] of ways) {
            const reply = await fetchAs(link, method, headers);

            assert.ok(method === 'OPTIONS' ? reply.status === 405
                : reply.status === 200, `${method}: ${reply.status}`);
        }
    }
    assert.equal(state(email), 'new running');
    assert.equal(site.leadState('scanned'), 'pending');
});

test('a browser that runs scripts and looks at everything does neither',
    async () => {
        const email = 'rendered@polka.example';
        const mail = await site.leaveLead('rendered', email);
        const page = await site.visitor({ viewport: site.DESKTOP });
        const posts = [];

        page.on('request', (request) => {
            if (request.method() !== 'GET') {
                posts.push(request.url());
            }
        });
        await page.setContent(mail.html, { waitUntil: 'networkidle' });
        for (const link of mail.links) {
            await page.goto(link, { waitUntil: 'networkidle' });
            await page.mouse.move(200, 200);
            await page.mouse.wheel(0, 2000);
            await page.keyboard.press('Tab');
            for (const href of await page.$$eval('a[href]',
                (list) => list.map((a) => a.href))) {
                await fetchAs(href, 'GET', {});
            }
        }
        assert.deepEqual(posts, []);
        assert.match(state(email), /^new running( letter\.(opened|clicked))*$/);
    });

test('opens and clicks are counted, once, and change nothing else',
    async () => {
        const email = 'curious@polka.example';
        const mail = await site.leaveLead('curious', email);
        const image = imageIn(mail);

        assert.equal((await fetchAs(image, 'HEAD', {})).status, 303);
        assert.equal((await fetchAs(image, 'GET', { 'Sec-Purpose':
            'prefetch' })).status, 303);
        assert.equal(state(email), 'new running');
        for (let i = 0; i < 2; i++) {
            const reply = await fetch(image);

            assert.equal(reply.headers.get('content-type'), 'image/gif');
        }
        assert.equal(state(email), 'new running letter.opened');
        const page = await site.visitor();
        const click = mail.html.match(/href="([^"]+\/r\/[^"]+\/1)"/)[1];

        assert.equal((await fetchAs(click, 'HEAD', {})).status, 302);
        assert.equal(state(email), 'new running letter.opened');
        for (let i = 0; i < 2; i++) {
            await page.goto(click);
            assert.equal(page.url(), `${site.SITE}thanks.html?a=1&b=2`);
        }
        assert.equal(state(email), 'new running letter.opened letter.clicked');
        await page.goto(click.replace(/1$/, '2'));
        assert.match(page.url(), /\/link\.html\?error=/, 'no other link');
        await page.goto(`${site.SITE}r/${image.split('/o/')[1]}/1`);
        assert.match(page.url(), /\/link\.html\?error=/,
            'a link for one purpose serves no other');
    });

test('a mail program unsubscribes by one click, and a person by a button',
    async () => {
        const email = 'one-click@polka.example';
        const mail = await site.leaveLead('one-click', email);
        const header = (name) => mail.headers.find(
            (item) => item.name === name).value;
        const url = header('List-Unsubscribe').match(/^<(http[^>]+)>$/)[1];

        assert.equal(header('List-Unsubscribe-Post'),
            'List-Unsubscribe=One-Click');
        const reply = await fetch(url, { method: 'POST', redirect: 'manual',
            headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
            body: 'List-Unsubscribe=One-Click' });

        assert.equal(reply.status, 200, 'at once, without a redirect');
        assert.equal(reply.headers.get('set-cookie'), null);
        assert.match(state(email), /^new stopped .*contact.unsubscribed$/);

        const person = 'not-me@polka.example';
        const second = await site.leaveLead('not-me', person);
        const page = await site.visitor();

        await page.goto(site.linkIn(second, 'u'));
        assert.match(state(person), /^new running/);
        await page.click('form .button');
        await page.waitForURL('**/unsubscribed.html*');
        assert.match(state(person), /^new stopped .*contact.unsubscribed$/);
        assert.equal(site.leadState('not-me'), 'rejected');
    });
