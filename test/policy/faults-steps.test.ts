import { around, expectFaults, monthly, withSteps } from './loading.ts';

expectFaults({
  steps: [
    ['no at', withSteps(monthly, '▸{ alert: ops }'), 'a step of a `spend` policy needs `at`'],
    [
      'at without its sign',
      withSteps(monthly, '{ at: ▸80, alert: ops }'),
      '`at` must be a percentage such as 80% or 12.5%',
    ],
    ['at 0%', withSteps(monthly, '{ at: ▸0%, alert: ops }'), '0% is always reached; it must be above zero'],
    [
      'at on expiry',
      withSteps('expiry: {}', '{ at: ▸80%, alert: ops }'),
      '`at` goes only with `spend`; this policy has `expiry`',
    ],
    [
      'after on spend',
      withSteps(monthly, '{ at: 80%, after: ▸7d, alert: ops }'),
      '`after` goes only with `expiry` and `idle`',
    ],
    [
      'before and after',
      withSteps('expiry: {}', '{ before: 1d, after: ▸1d, alert: ops }'),
      'a step has either `before` or `after`, not both',
    ],
    ['nothing to do', withSteps('expiry: {}', '▸{ after: 1d }'), 'this step does nothing'],
    [
      'a misspelt alert is not a missing one',
      withSteps('expiry: {}', '{ ▸alrt: ops }'),
      'unknown field `alrt`',
    ],
    [
      'rename and delete',
      withSteps('expiry: {}', '{ alert: ops, rename: "X {{ name }}", delete: ▸{ notice: 1d } }'),
      'a step can rename or delete, not both',
    ],
    [
      'delete without alert',
      withSteps('expiry: {}', '{ delete: ▸{ notice: 1d } }'),
      'a step that deletes needs `alert`, for its notice has to go somewhere',
    ],
    [
      'delete without notice',
      withSteps('expiry: {}', '{ alert: ops, delete: ▸{} }'),
      '`notice` is missing in `delete`',
    ],
    [
      'delete as a flag',
      withSteps('expiry: {}', '{ alert: ops, delete: ▸true }'),
      '`delete` must have a field: { notice: 24h }',
    ],
    [
      'repeat without alert',
      withSteps('expiry: {}', '{ rename: "X {{ name }}", repeat: ▸1d }'),
      '`repeat` repeats an alert, and this step has no `alert`',
    ],
    ['repeat at once', withSteps('expiry: {}', '{ alert: ops, repeat: ▸0s }'), '`repeat` must be above zero'],
    [
      'restore without rename',
      withSteps('expiry: {}', '{ alert: ops, restore: ▸false }'),
      '`restore` undoes a rename, and this step has no `rename`',
    ],
    ['unknown channel', withSteps('expiry: {}', '{ alert: [ops, ▸ownr] }'), 'there is no channel `ownr`'],
    ['no channel', withSteps('expiry: {}', '{ alert: ▸[] }'), '`alert` must not be an empty list'],
    [
      'illegal name',
      withSteps('expiry: {}', '{ rename: ▸"[IDLE] {{ name }}" }'),
      'a key name cannot hold `[`, `]`',
    ],
    [
      'a name from the environment',
      withSteps('expiry: {}', '{ rename: ▸"${X} {{ name }}" }'),
      'the value of `${X} {{ name }}` is not a proper key name',
    ],
    [
      'unknown variable in a name',
      withSteps('expiry: {}', '{ rename: ▸"X {{ nmae }}" }'),
      'unknown template variable `nmae`',
    ],
    [
      'metadata of no name',
      withSteps('expiry: {}', '{ rename: ▸"X {{ metadata. }}" }'),
      'unknown template variable `metadata.`',
    ],
    [
      'too long a name',
      withSteps('expiry: {}', `{ rename: ▸"${'X'.repeat(101)} {{ name }}" }`),
      'a key name cannot be longer than 100 characters',
    ],
    ['empty name', withSteps('expiry: {}', '{ rename: ▸"" }'), '`rename` must be text, and not empty'],
    ['blank name', withSteps('expiry: {}', '{ rename: ▸"  " }'), 'a key name cannot be empty'],
    [
      'out of order',
      withSteps(monthly, '{ at: 100%, alert: ops }', '{ at: ▸80%, alert: ops }'),
      'this step is reached before the one above it',
    ],
    [
      'deadlines out of order',
      withSteps('expiry: {}', '{ after: 0s, alert: ops }', '{ before: ▸7d, alert: ops }'),
      'this step is reached before the one above it',
    ],
    [
      'a deletion before the last use',
      withSteps('idle: { for: 7d }', '{ before: ▸2w, alert: ops, delete: { notice: 1d } }'),
      'every key reaches this step, used or not: it reaches back to the key’s last use',
    ],
    [
      'a rename at the last use',
      withSteps('idle: { for: 24h }', '{ before: ▸1d, rename: "X {{ name }}" }'),
      'every key reaches this step, used or not: it reaches back to the key’s last use',
    ],
    [
      'a deletion before the creation',
      withSteps('expiry: { max_age: 90d }', '{ before: ▸91d, alert: ops, delete: { notice: 1d } }'),
      'every key reaches this step: it reaches back to the key’s creation',
    ],
    [
      'at the deadline after later',
      withSteps('idle: { for: 1d }', '{ after: 7d, alert: ops }', '▸{ alert: ops }'),
      'this step is reached before the one above it',
    ],
    [
      'forecast with a change',
      withSteps(monthly, '{ at: 100%, basis: ▸forecast, alert: ops, rename: "X {{ name }}" }'),
      'a forecast can only alert',
    ],
    [
      'forecast with a deletion',
      withSteps(monthly, '{ at: 100%, basis: ▸forecast, alert: ops, delete: { notice: 1d } }'),
      'a forecast can only alert',
    ],
    [
      'forecast of a lifetime',
      withSteps('spend: { cost: 1, per: lifetime }', '{ at: 100%, basis: ▸forecast, alert: ops }'),
      'a forecast looks to the end of a period, and this one has no end',
    ],
    [
      'forecast of a window',
      withSteps('spend: { cost: 1, per: 24h }', '{ at: 100%, basis: ▸forecast, alert: ops }'),
      'a forecast looks to the end of a period, and this one has no end',
    ],
    [
      'forecast of a deadline',
      withSteps('expiry: {}', '{ basis: ▸forecast, alert: ops }'),
      '`basis` goes only with `spend`',
    ],
    [
      'basis',
      withSteps(monthly, '{ at: 80%, basis: ▸forcast, alert: ops }'),
      '`basis` must be level or forecast',
    ],
    [
      'no pick for a group',
      withSteps(
        'spend: { cost: 1, per: day, across: metadata.team }',
        '{ at: 80%, rename: ▸"X {{ name }}" }',
      ),
      '`rename` needs `pick` here: several keys share this budget, so say which of them',
    ],
    [
      'no pick for a deletion',
      withSteps(
        'spend: { cost: 1, per: day, across: account }',
        '{ at: 80%, alert: ops, delete: ▸{ notice: 1d } }',
      ),
      '`delete` needs `pick` here: several keys share this budget, so say which of them',
    ],
    [
      'pick for one key',
      withSteps(monthly, '{ at: 80%, rename: "X {{ name }}", pick: ▸highest }'),
      '`pick` means nothing here: this policy judges each key alone',
    ],
    [
      'pick without a change',
      withSteps('spend: { cost: 1, per: day, across: selected }', '{ at: 80%, alert: ops, pick: ▸all }'),
      '`pick` means nothing here: this step neither renames nor deletes',
    ],
    [
      'pick on expiry',
      withSteps('expiry: {}', '{ rename: "X {{ name }}", pick: ▸all }'),
      '`pick` means nothing here: this policy judges each key alone',
    ],
  ],
  'one thing, which brings no others': [
    [
      'two rules',
      around(
        '  - { name: p, select: all, ▸expiry: {}, spend: { cost: 1, per: day }, steps: [{ at: 90%, alert: ops }, { before: 1d, basis: forecast, pick: all, alert: ops }] }',
      ),
      'item 1 of `policies` needs exactly one of `spend`, `expiry` and `idle`, but `spend` and `expiry` are given',
    ],
    [
      'a budget that is no mapping',
      withSteps(
        'spend: ▸20',
        '{ at: 80%, rename: "X {{ name }}" }',
        '{ at: 90%, basis: forecast, alert: ops }',
      ),
      '`spend` must have fields such as { cost: 20.00, per: month }',
    ],
    [
      'an unknown scope',
      withSteps('spend: { cost: 1, per: day, across: ▸team }', '{ at: 80%, rename: "X {{ name }}" }'),
      '`across` must be key, selected, account or metadata.NAME',
    ],
    [
      'a misspelt scope',
      withSteps(
        'spend: { cost: 1, per: day, ▸acros: team }',
        '{ at: 80%, rename: "X {{ name }}", pick: all }',
      ),
      'unknown field `acros`',
    ],
    [
      'an unknown period',
      withSteps('spend: { cost: 1, per: ▸14d }', '{ at: 80%, basis: forecast, alert: ops }'),
      '`per` must be hour, day, week, month, quarter, year, 1h, 24h, 7d, 30d, 60d, 90d or lifetime',
    ],
    [
      'an unknown period of each key’s own cap',
      withSteps('spend: { tokens: max_tokens, per: ▸14d }', '{ at: 80%, alert: ops }'),
      '`per` must be hour, day, week, month, quarter, year, 1h, 24h, 7d, 30d, 60d, 90d or lifetime',
    ],
    [
      'an unknown basis',
      withSteps(monthly, '{ at: 100%, alert: ops }', '{ at: 80%, basis: ▸real, alert: ops }'),
      '`basis` must be level or forecast',
    ],
    [
      'a malformed percentage',
      withSteps(monthly, '{ at: 100%, alert: ops }', '{ at: ▸80, alert: ops }', '{ at: 100%, alert: ops }'),
      '`at` must be a percentage such as 80% or 12.5%',
    ],
    [
      'a malformed deadline',
      withSteps('expiry: {}', '{ after: 1d, alert: ops }', '{ before: ▸soon, alert: ops }'),
      '`before` must be a duration such as 90s, 15m, 24h, 7d or 2w',
    ],
    [
      'a step of text',
      withSteps(monthly, '{ at: 80%, alert: ops }', '▸ops'),
      'item 2 of `steps` must have fields such as { at: 80%, alert: ops }',
    ],
    [
      'a step that is a list',
      withSteps('expiry: {}', '{ after: 1d, alert: ops }', '▸[ops]'),
      'item 2 of `steps` must have fields such as { at: 80%, alert: ops }',
    ],
    [
      'a step left empty',
      withSteps('expiry: {}', '{ after: 1d, alert: ops }', '▸~'),
      'item 2 of `steps` is empty; it must have fields such as { at: 80%, alert: ops }',
    ],
    ['a misspelt deed', withSteps('expiry: {}', '{ ▸renam: X, restore: false }'), 'unknown field `renam`'],
    [
      'a malformed name',
      withSteps('expiry: {}', '{ rename: ▸5, restore: false }'),
      '`rename` must be text, and not empty',
    ],
  ],
});
