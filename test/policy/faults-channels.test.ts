import { expectFaults, top, withSteps } from './loading.ts';

const channel = (fields: string) =>
  `version: 1\nsmtp: { url: "\${SMTP_URL}", from: a@b.c }\nchannels:\n  x: ${fields}\npolicies: []\n`;

expectFaults({
  channels: [
    [
      'none of the kinds',
      channel('▸{ quiet: { hours: "22:00-07:00" } }'),
      '`x` needs exactly one of `slack`, `email` and `webhook`, but none is given',
    ],
    [
      'two of the kinds',
      channel('{ slack: { webhook_url: "${S}" }, ▸webhook: { url: "${P}" } }'),
      '`x` needs exactly one of `slack`, `email` and `webhook`, but `slack` and `webhook` are given',
    ],
    ['a text', channel('▸ops@example.com'), '`x` must have one of slack, email and webhook'],
    [
      'nothing',
      channel('').replace('  x', '  ▸x'),
      '`x` is empty; it must have one of slack, email and webhook',
    ],
    [
      'a strange name',
      top('channels: { ▸"a b": { slack: { webhook_url: "${S}" } } }'),
      '`a b` must consist of letters, digits, hyphens, underscores and periods',
    ],
    ['misspelt kind', channel('{ ▸slakc: { webhook_url: "${S}" } }'), 'unknown field `slakc`'],
    ['slack without its URL', channel('{ slack: ▸{} }'), '`webhook_url` is missing in `slack`'],
    [
      'slack by another scheme',
      channel('{ slack: { webhook_url: ▸ftp://h/ } }'),
      'this is not a URL that starts with https:// or http://',
    ],
    ['empty URL', channel('{ webhook: { url: ▸"" } }'), '`url` must be text, and not empty'],
    ['not an address', channel('{ email: { to: [a@b.c, ▸ops] } }'), 'not an e-mail address'],
    [
      'a number as an address',
      channel('{ email: { to: [a@b.c, ▸5] } }'),
      'item 2 of `to` must be text, and not empty',
    ],
    [
      'a template from the environment',
      channel('{ email: { to: ▸"${P}{{" } }'),
      'the value of `${P}{{` is not a proper address',
    ],
    ['no address at all', channel('{ email: { to: ▸[] } }'), '`to` must not be an empty list'],
    [
      'unknown variable',
      channel('{ email: { to: ▸"{{ metdata.email }}" } }'),
      'unknown template variable `metdata.email`',
    ],
    ['template never closed', channel('{ email: { to: ▸"{{ name" } }'), '`{{` is never closed'],
    [
      'a pattern as a domain',
      channel('{ email: { to: a@b.c, allow_domains: [▸"*.c"] } }'),
      'item 1 of `allow_domains` must be a domain such as example.com, without @ or *',
    ],
    [
      'allow_private',
      channel('{ webhook: { url: "${P}", allow_private: ▸yes } }'),
      '`allow_private` must be true or false',
    ],
    [
      'e-mail without smtp',
      top('channels: { x: { email: ▸{ to: a@b.c } }, y: { email: { to: a@b.c } } }'),
      'a channel that sends e-mail needs the mail server `smtp`',
    ],
    [
      'quiet hours',
      channel('{ slack: { webhook_url: "${S}" }, quiet: { hours: ▸22-7 } }'),
      '`hours` must be two times of day in quotes, such as "22:00-07:00"',
    ],
    [
      '25 o’clock',
      channel('{ slack: { webhook_url: "${S}" }, quiet: { hours: ▸"25:00-07:00" } }'),
      '`hours` must be two times of day in quotes, such as "22:00-07:00"',
    ],
    [
      'quiet for no time',
      channel('{ slack: { webhook_url: "${S}" }, quiet: { hours: ▸"07:00-07:00" } }'),
      'quiet hours must end at another time than they begin',
    ],
    [
      'quiet days',
      channel('{ slack: { webhook_url: "${S}" }, quiet: { hours: "22:00-07:00", days: [▸weekdays] } }'),
      'item 1 of `days` must be a day or a range of days, such as sat or mon-fri',
    ],
    [
      'quiet except',
      channel('{ slack: { webhook_url: "${S}" }, quiet: { hours: "22:00-07:00", except: [▸notices] } }'),
      'item 1 of `except` must be notice or delete',
    ],
  ],
  'protect and limits': [
    [
      'no protect with a delete',
      withSteps('expiry: {}', '{ alert: ops, delete: ▸{ notice: 1d } }').replace('protect: []', ''),
      'a policy that deletes keys needs the list `protect` at the top of the file',
    ],
    [
      'no protect with a rename',
      withSteps('expiry: {}', '{ rename: ▸"X {{ name }}" }').replace('protect: []', ''),
      'a policy that renames keys needs the list `protect` at the top of the file',
    ],
    [
      'protect left empty',
      top('▸protect:'),
      '`protect` is empty; it must be a list of selectors, if only []',
    ],
    [
      'protect without a list',
      top('protect: ▸{ name: x }'),
      '`protect` must be a list of selectors, if only []',
    ],
    [
      'an empty selector',
      top('protect: [▸{}]'),
      'item 1 of `protect` must have at least one field, such as name or metadata; every key is written `all`',
    ],
    ['negative', top('limits: { delete: { per_run: ▸-1 } }'), '`per_run` must be a whole number, 0 or more'],
    [
      'a fraction',
      top('limits: { rename: { per_day: ▸1.5 } }'),
      '`per_day` must be a whole number, 0 or more',
    ],
    [
      'percent with its sign',
      top('limits: { delete: { percent: ▸10% } }'),
      '`percent` must be a number from 0 to 100, without a percent sign',
    ],
    [
      'over 100 percent',
      top('limits: { delete: { percent: ▸101 } }'),
      '`percent` must be a number from 0 to 100, without a percent sign',
    ],
    [
      'not a number',
      top('limits: { delete: { percent: ▸.nan } }'),
      '`percent` must be a number from 0 to 100, without a percent sign',
    ],
  ],
  silences: [
    ['no end', top('silences: [▸{ select: all }]'), '`until` is missing in item 1 of `silences`'],
    [
      'no zone',
      top('silences: [{ select: all, until: ▸2026-12-01T00:00:00 }]'),
      '`until` must be a time with a zone, such as 2026-12-01T00:00:00Z',
    ],
    [
      'a day only',
      top('silences: [{ select: all, until: ▸2026-12-01 }]'),
      '`until` must be a time with a zone, such as 2026-12-01T00:00:00Z',
    ],
    [
      'no such day',
      top('silences: [{ select: all, until: ▸2026-02-30T00:00:00Z }]'),
      '`until` must be a time with a zone, such as 2026-12-01T00:00:00Z',
    ],
    [
      'no such second',
      top('silences: [{ select: all, until: ▸2026-11-30T23:59:60Z }]'),
      'there is no such time',
    ],
    [
      'too far',
      top('silences: [{ select: all, until: ▸2027-11-25T10:00:00Z }]'),
      'a silence can end at most a year ahead',
    ],
    [
      'suppress',
      top('silences: [{ select: all, until: 2026-12-01T00:00:00Z, suppress: [▸action] }]'),
      'item 1 of `suppress` must be alerts or actions',
    ],
  ],
});
