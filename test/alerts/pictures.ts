/** `npm run pictures -- FOLDER`: every sample mail as a browser shows it, light and dark, on a phone and a desktop. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { toEmail } from '../../src/alerts/compose/email.ts';
import { samplePreviews, withPictures } from '../../src/alerts/previews.ts';
import { openBrowser, openPage, views } from './browser.ts';

const [folder] = process.argv.slice(2);
if (folder === undefined) {
  process.stderr.write('usage: npm run pictures -- FOLDER\n');
  process.exit(2);
}
await mkdir(folder, { recursive: true });
const previews = samplePreviews({
  at: Date.parse('2026-11-23T09:00:00Z'),
  timeZone: 'Europe/Berlin',
  channels: [],
});
await using browser = await openBrowser();
for (const view of views) {
  const page = await openPage(browser, view);
  for (const { name, message } of previews) {
    await page.setContent(withPictures(toEmail(message)));
    const file = `${name}-${view.scheme}-${String(view.width)}.png`;
    await page.screenshot({ path: join(folder, file), fullPage: true });
  }
  await page.context().close();
}
process.stdout.write(`wrote ${String(views.length * previews.length)} pictures to ${folder}\n`);
