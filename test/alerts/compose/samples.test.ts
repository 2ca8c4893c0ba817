/** What goes to Slack for every sample, as files that a person can read beside Block Kit Builder. */
import { describe, expect, test } from 'vitest';
import { compose } from '../../../src/alerts/compose/compose.ts';
import { toSlack } from '../../../src/alerts/compose/slack.ts';
import { sampleCaseAlerts, sampleSystemAlert } from '../../../src/alerts/samples.ts';
import type { Alert } from '../../../src/core/alert.ts';
import { refusalOf } from '../../../src/sandbox/slack-limits.ts';
import { at } from '../build.ts';

const options = { at, timeZone: 'Europe/Berlin', channels: ['ops'] } as const;
const cases = sampleCaseAlerts(options);
const singles = [sampleSystemAlert(options), ...cases].map((alert): [string, readonly Alert[]] => [
  alert.id.replace('sample/', ''),
  [alert],
]);

describe('Slack takes, and shows as its file has it,', () => {
  test.each([...singles, ['digest', cases] as const])('the sample %s', async (name, alerts) => {
    const entries = alerts.map((alert) => ({ alert, remark: null }));
    const { payload } = toSlack(compose(entries, { id: `msg_sample_${name}`, now: at }));
    expect(refusalOf(payload)).toBeNull();
    await expect(`${JSON.stringify(payload, null, 2)}\n`).toMatchFileSnapshot(`slack/${name}.json`);
  });
});
