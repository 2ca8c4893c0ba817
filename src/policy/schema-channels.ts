/** Channels, in the schema. */
import { Type } from 'typebox';
import { choice, closed, exactlyOne, filled, flag, oneOrMany } from './schema-kinds.ts';

const quiet = closed(
  {
    hours: Type.String({
      pattern: '^([01][0-9]|2[0-3]):[0-5][0-9]-([01][0-9]|2[0-3]):[0-5][0-9]$',
      description: 'From and to, in the file\'s time zone; may run over midnight: "22:00-07:00".',
      errorMessage: 'must be two times of day in quotes, such as "22:00-07:00"',
    }),
    days: Type.Optional(
      oneOrMany(
        Type.String({
          pattern: '^(mon|tue|wed|thu|fri|sat|sun)(-(mon|tue|wed|thu|fri|sat|sun))?$',
          errorMessage: 'must be a day or a range of days, such as sat or mon-fri',
        }),
        'Days on which the quiet hours begin; every day if left out.',
      ),
    ),
    except: Type.Optional(
      Type.Array(choice(['notice', 'delete'], 'What is sent even so.'), {
        description: 'What is sent even in quiet hours: notices of deletion, reports of deletion.',
        errorMessage: 'must be a list of notice and delete',
      }),
    ),
  },
  {
    description: 'Hours in which messages are held back, to be sent as one digest afterwards.',
    errorMessage: 'must have fields, such as { hours: "22:00-07:00" }',
  },
);

const slack = closed(
  { webhook_url: filled("The incoming webhook's URL; keep it in the environment: ${SLACK_WEBHOOK_URL}.") },
  { description: 'A Slack incoming webhook.', errorMessage: 'must have the field webhook_url' },
);

const email = closed(
  {
    to: oneOrMany(
      filled('An address.'),
      'An address or a template such as "{{ metadata.email }}", or a list.',
    ),
    cc: Type.Optional(oneOrMany(filled('An address.'), 'As `to`; gets a copy.')),
    allow_domains: Type.Optional(
      oneOrMany(
        Type.String({
          pattern: '^[^\\s@*<>,;:"]{1,253}$',
          errorMessage: 'must be a domain such as example.com, without @ or *',
        }),
        'Domains that a templated address may have; any if left out.',
      ),
    ),
  },
  { description: 'E-mail; needs `smtp`.', errorMessage: 'must have the field to' },
);

const webhook = closed(
  {
    url: filled('Where to POST; keep it in the environment.'),
    secret: Type.Optional(filled('Signs every message as Standard Webhooks has it.')),
    allow_private: Type.Optional(
      flag('Whether the URL may lead to a private network or this machine. Refused if left out.'),
    ),
  },
  { description: 'A plain HTTP webhook (JSON).', errorMessage: 'must have the field url' },
);

export const channel = closed(
  {
    slack: Type.Optional(slack),
    email: Type.Optional(email),
    webhook: Type.Optional(webhook),
    quiet: Type.Optional(quiet),
  },
  {
    oneOf: exactlyOne('slack', 'email', 'webhook'),
    description: 'Exactly one of slack, email and webhook.',
    errorMessage: 'must have one of slack, email and webhook',
  },
);
