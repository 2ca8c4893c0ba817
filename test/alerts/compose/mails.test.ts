/** Every sample as text and as HTML, in files that people can read and open. */
import { describe, expect, test } from 'vitest';
import { toEmail } from '../../../src/alerts/compose/email.ts';
import { samplePreviews } from '../../../src/alerts/previews.ts';
import { at } from '../build.ts';

const previews = samplePreviews({ at, timeZone: 'Europe/Berlin', channels: [] });

describe.each(previews)('$name', ({ name, message }) => {
  const { subject, text, html } = toEmail(message);

  test('as text', async () => {
    await expect(`Subject: ${subject}\n\n${text}`).toMatchFileSnapshot(`mails/${name}.txt`);
  });

  test('as HTML', async () => {
    await expect(html).toMatchFileSnapshot(`mails/${name}.html`);
  });
});
