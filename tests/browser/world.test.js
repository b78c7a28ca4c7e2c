'use strict';

/* The page of the sandbox outside world, as somebody with the demo uses it. */

const assert = require('node:assert');
const { test, before, after } = require('node:test');
const site = require('./site');

before(site.open);
after(site.close);

test('letters and postbacks appear by themselves, and links open',
    async () => {
        const page = await site.visitor({ viewport: site.DESKTOP });

        await page.goto(process.env.WORLD_URL);
        await site.leaveLead('world-1', 'world@polka.example');
        const letter = page.locator('details.item',
            { hasText: 'world@polka.example' });
        await letter.evaluate((element) => {
            element.open = true;
        });
        await letter.getByText('Headers').click();
        assert.match(await letter.locator('pre').innerText(),
            /List-Unsubscribe:/);
        await page.locator('details.item', { hasText: 'world-1' })
            .locator('.tag.processed').waitFor();

        await letter.getByRole('button', { name: 'Letter' }).click();
        const opened = page.context().waitForEvent('page');
        await letter.frameLocator('iframe')
            .locator('a:has-text("подтверждению")').click();
        const link = await opened;
        await link.waitForURL(/\/c\/.*#ru$/);
        assert.match(await link.innerText('h1'), /Подтвердите/);
        await site.shot(page, 'world-desktop');

        await page.setViewportSize(site.PHONE);
        assert.equal(await page.evaluate(
            () => document.documentElement.scrollWidth), 360);
        assert.deepEqual(page.complaints, []);
    });
