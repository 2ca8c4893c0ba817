/** Mails as a browser shows them. `npm run pictures -- FOLDER` makes pictures of the same. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import PostalMime from 'postal-mime';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { chartable } from '../../src/alerts/compose/compose.ts';
import { previewFiles, samplePreviews } from '../../src/alerts/previews.ts';
import { openBrowser, openPage, views } from './browser.ts';
import { at } from './build.ts';

const inspector = readFileSync(join(import.meta.dirname, 'inspect-page.js'), 'utf8');

/** A mail's HTML with the pictures that it carries itself, as a client shows it. */
async function shownHtml(raw: string | Uint8Array | undefined): Promise<string> {
  const { html = '', attachments } = await PostalMime.parse(raw ?? '', { attachmentEncoding: 'base64' });
  return attachments.reduce(
    (text, { contentId, mimeType, content }) =>
      text.replaceAll(
        `cid:${String(contentId).slice(1, -1)}`,
        `data:${mimeType};base64,${content as string}`,
      ),
    html,
  );
}

const previews = samplePreviews({ at, timeZone: 'Europe/Berlin', channels: [] });
const mails = await Promise.all(
  previews.map(async ({ name, message }) => {
    const { eml } = await previewFiles(message, 'Keywarden <keywarden@example.com>');
    return { name, html: await shownHtml(eml) };
  }),
);

let browser: Browser;
beforeAll(async () => {
  browser = await openBrowser();
});
afterAll(() => browser.close());

/** Everything that was asked of a network. */
function requestsOf(page: Page): readonly string[] {
  const urls: string[] = [];
  page.on('request', (request) => {
    if (!request.url().startsWith('data:')) urls.push(request.url());
  });
  return urls;
}

async function faultsOf(page: Page, html: string, width: number): Promise<unknown> {
  await page.setContent(html);
  // The whole of it is within the window, where what lies over what can be told.
  const height = Number(await page.evaluate('document.documentElement.scrollHeight'));
  await page.setViewportSize({ width, height });
  await page.evaluate(inspector);
  return page.evaluate('faultsOfMail()');
}

describe.each(views)('every sample in $scheme at $width px', (view) => {
  test('fits, can be read, and asks for nothing', async () => {
    const page = await openPage(browser, view);
    const requests = requestsOf(page);
    for (const { name, html } of mails) expect(await faultsOf(page, html, view.width), name).toEqual([]);
    expect(requests).toEqual([]);
    await page.context().close();
  });
});

test('the inspection sees what it is there for', async () => {
  const page = await openPage(browser, { scheme: 'light', width: 375 });
  const requests = requestsOf(page);
  const faults = await faultsOf(
    page,
    '<!doctype html><p style="margin-top:99px;color:#888;background:#fff">pale</p><p style="width:900px;text-align:right">far off</p>' +
      '<p style="position:absolute;top:0;margin:0">covered</p><div style="position:absolute;top:0;width:99px;height:30px;background:#fff"></div>' +
      '<img alt="broken" src="http://keywarden.invalid/x.png">',
    375,
  );
  expect(faults).toEqual([
    expect.stringMatching(/wider than the page/),
    'no picture: broken',
    expect.stringMatching(/^contrast 3\.\d\d: pale$/),
    'beyond the edge: far off',
    'under something else: covered',
  ]);
  expect(requests).toEqual(['http://keywarden.invalid/x.png']);
  await page.context().close();
});

test('mails about an amount, and no others, have a picture', () => {
  const drawn = mails
    .filter(({ html }) => html.includes('src="data:image/png;base64,'))
    .map(({ name }) => name);
  expect(drawn).toEqual(
    previews.flatMap(({ name, message }) => (chartable(message.alerts) === null ? [] : [name])),
  );
  expect(drawn).toContain('notice');
  expect(drawn).not.toContain('digest');
});

test('what is dark is dark because the reader is', async () => {
  const [mail] = mails;
  const grounds: unknown[] = [];
  for (const view of views.filter(({ width }) => width === 375)) {
    const page = await openPage(browser, view);
    await page.setContent(mail?.html ?? '');
    grounds.push(await page.evaluate('getComputedStyle(document.body).backgroundColor'));
    await page.context().close();
  }
  expect(grounds).toEqual(['rgb(243, 244, 246)', 'rgb(13, 17, 23)']);
});
