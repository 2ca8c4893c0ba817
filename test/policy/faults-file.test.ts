import { expectFaults, top } from './loading.ts';

expectFaults({
  'the file': [
    ['empty', '▸', 'the file is empty'],
    ['only comments', '▸# nothing\n\n  # here\n', 'the file is empty'],
    ['binary', '▸version: 1\n\0', 'the file is not text in UTF-8: is it the right one?'],
    ['not UTF-8', '▸version: 1 \uFFFD\n', 'the file is not text in UTF-8: is it the right one?'],
    [
      'over 64 KiB',
      `▸${'# long enough\n'.repeat(80_000)}`,
      'the file is larger than 64 KiB: is it the right one?',
    ],
    ['no mapping', '▸- a\n- b\n', 'the file must have fields, at least version and policies'],
    ['no version', '▸policies: []\n', '`version` is missing'],
    ['no policies', '▸version: 1\n', '`policies` is missing'],
    ['another version', 'version: ▸2\npolicies: []\n', '`version` must be 1'],
    ['unknown field', top('▸polices: []'), 'unknown field `polices`'],
    ['merge key', top('▸<<: { mode: alert }'), 'unknown field `<<`'],
    ['`__proto__` as a field', top('▸__proto__: { mode: enforce }'), 'unknown field `__proto__`'],
    ['mode', top('mode: ▸enforced'), '`mode` must be dry-run, alert or enforce'],
    ['mode left empty', top('▸mode:'), '`mode` is empty; it must be dry-run, alert or enforce'],
    [
      'a name alone',
      top('limits: { ▸delete }'),
      '`delete` is empty; it must have fields such as { per_run: 3, per_day: 10, percent: 10 }',
    ],
    ['time zone', top('timezone: ▸Europe/Berlim'), '`Europe/Berlim` is not the IANA name of a time zone'],
    ['offset as a time zone', top('timezone: ▸"+02:00"'), '`+02:00` is not the IANA name of a time zone'],
    ['smtp without from', top('smtp: ▸{ url: "${SMTP_URL}" }'), '`from` is missing in `smtp`'],
    [
      'smtp by https',
      top('smtp: { url: ▸https://mail, from: a@b.c }'),
      'this is not a URL that starts with smtp:// or smtps://',
    ],
    [
      'smtp from',
      top('smtp: { url: "${SMTP_URL}", from: ▸Keywarden }'),
      '`from` must be an address such as "Keywarden <keywarden@example.com>"',
    ],
  ],
  YAML: [
    ['duplicate field', top('mode: alert\n▸mode: enforce'), '`mode` is given twice'],
    ['duplicate field in a flow', top('limits: { delete: {}, ▸delete: {} }'), '`delete` is given twice'],
    [
      'missing bracket',
      'version: 1\npolicies: [\n▸mode: alert\n',
      'this is not valid YAML: flow sequence in block collection must be sufficiently indented and end with a ]',
    ],
    ['tab', 'version: 1\nlimits:\n▸\tdelete: {}\n', 'a tab is used as indentation'],
    ['two documents', 'version: 1\npolicies: []\n▸---\nversion: 1\n', 'a second document starts here'],
    ['tag', top('mode: ▸!secret alert'), 'tags (`!`) are not used in policy files'],
    ['alias to nothing', top('mode: ▸*alert'), 'an alias (`*`) to an anchor that is not defined above it'],
    [
      'alias within its own anchor',
      'version: 1\npolicies: &p [▸*p]\n',
      'an alias (`*`) to an anchor that is not defined above it',
    ],
    ['YAML 1.1', '▸%YAML 1.1\n---\nversion: 1\npolicies: []\n', 'only YAML 1.2 is read'],
    ['a list as a name', top('? ▸[a]\n: b'), 'a field name must be plain text'],
    [
      'nested too deep',
      top(`mode: ▸${'['.repeat(39)}▸[${']'.repeat(40)}`),
      '`mode` must be dry-run, alert or enforce',
      'nested more than 40 levels deep',
    ],
  ],
  'the environment': [
    [
      'missing variable',
      top('timezone: "▸${MISSING}"'),
      'the environment variable MISSING is missing: neither MISSING nor MISSING_FILE is set',
    ],
    [
      'missing within a text',
      top('smtp: { url: "smtps://u:▸${MISSING_P}@h", from: a@b.c }'),
      'the environment variable MISSING_P is missing: neither MISSING_P nor MISSING_P_FILE is set',
    ],
    [
      'two in one text',
      top('timezone: "▸${MISSING_A}/▸${MISSING_B}"'),
      'the environment variable MISSING_A is missing: neither MISSING_A nor MISSING_A_FILE is set',
      'the environment variable MISSING_B is missing: neither MISSING_B nor MISSING_B_FILE is set',
    ],
    [
      'no name',
      top('timezone: "▸${}"'),
      '`${` must be followed by the name of an environment variable and `}`',
    ],
    [
      'never closed',
      top('timezone: "▸${ZONE"'),
      '`${` must be followed by the name of an environment variable and `}`',
    ],
    ['a value that does not fit', top('timezone: ▸${ZONE}'), '`${ZONE}` is not the IANA name of a time zone'],
  ],
});
