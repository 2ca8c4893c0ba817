/**
 * The limits of Slack's incoming webhooks and blocks, as
 * https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks and
 * https://docs.slack.dev/reference/block-kit have them. A field that a block or text does not know is
 * refused ("invalid additional property").
 */
import { isRecord } from './receivers.ts';

/** How Slack refuses a message: the whole body of its answer. */
export type SlackRefusal =
  'invalid_payload' | 'no_text' | 'msg_too_long' | 'msg_blocks_too_long' | 'invalid_blocks';

const maxText = 40_000;
const maxBlocks = 50;
/** Of all blocks as JSON: not documented, measured in https://github.com/slackapi/bolt-js/issues/2509. */
const maxTotal = 13_200;

/** Null: Slack takes it. */
export function refusalOf(message: unknown): SlackRefusal | null {
  if (!isRecord(message)) return 'invalid_payload';
  const { text, blocks } = message;
  if (text !== undefined && typeof text !== 'string') return 'invalid_payload';
  if (blocks === undefined) return (text ?? '') === '' ? 'no_text' : tooLong(text);
  if (!Array.isArray(blocks)) return 'invalid_blocks';
  if (blocks.length === 0 && (text ?? '') === '') return 'no_text';
  if (blocks.length > maxBlocks || !blocks.every(isBlock) || !haveOwnIds(blocks)) return 'invalid_blocks';
  return JSON.stringify(blocks).length > maxTotal ? 'msg_blocks_too_long' : tooLong(text);
}

function tooLong(text: string | undefined): SlackRefusal | null {
  return (text ?? '').length > maxText ? 'msg_too_long' : null;
}

type Block = Readonly<Record<string, unknown>>;

interface Form {
  /** Beside `type` and `block_id`. */
  readonly fields: readonly string[];
  readonly check: (block: Block) => boolean;
}

const forms: Readonly<Record<string, Form>> = {
  section: { fields: ['text', 'fields', 'accessory', 'expand'], check: isSection },
  header: { fields: ['text'], check: ({ text }) => isText(text, 150, ['plain_text']) },
  context: {
    fields: ['elements'],
    check: ({ elements }) => isList(elements, 1, 10) && elements.every(isContextElement),
  },
  divider: { fields: [], check: () => true },
  image: {
    fields: ['alt_text', 'image_url', 'slack_file', 'title'],
    check: ({ alt_text: alt, image_url: url }) => isString(alt, 2_000) && isString(url, 3_000),
  },
  actions: {
    fields: ['elements'],
    check: ({ elements }) => isList(elements, 1, 25) && elements.every(isRecord),
  },
  markdown: { fields: ['text'], check: ({ text }) => isString(text, 12_000) },
  rich_text: {
    fields: ['elements'],
    check: ({ elements }) => isList(elements, 1, Infinity) && elements.every(isRecord),
  },
};

function isBlock(block: unknown): boolean {
  if (!isRecord(block) || typeof block['type'] !== 'string') return false;
  const { type, block_id: id } = block;
  if (id !== undefined && !isString(id, 255)) return false;
  const form = Object.hasOwn(forms, type) ? forms[type] : undefined;
  return form !== undefined && hasOnly(block, ['type', 'block_id', ...form.fields]) && form.check(block);
}

/** A `block_id` is unique within a message. */
function haveOwnIds(blocks: readonly Block[]): boolean {
  const ids = blocks.flatMap(({ block_id: id }) => (id === undefined ? [] : [id]));
  return new Set(ids).size === ids.length;
}

function isSection({ text, fields }: Block): boolean {
  if (text === undefined && fields === undefined) return false;
  if (text !== undefined && !isText(text, 3_000)) return false;
  return fields === undefined || (isList(fields, 1, 10) && fields.every((field) => isText(field, 2_000)));
}

function isContextElement(element: unknown): boolean {
  if (!isRecord(element)) return false;
  return element['type'] === 'image' ? forms['image']?.check(element) === true : isText(element, 3_000);
}

const textFields: Readonly<Record<string, readonly string[]>> = {
  plain_text: ['type', 'text', 'emoji'],
  mrkdwn: ['type', 'text', 'verbatim'],
};

/** A text object; Slack refuses an empty one. */
function isText(value: unknown, max: number, types: readonly string[] = Object.keys(textFields)): boolean {
  if (!isRecord(value)) return false;
  const type = String(value['type']);
  return types.includes(type) && hasOnly(value, textFields[type] ?? []) && isString(value['text'], max);
}

function hasOnly(value: Block, fields: readonly string[]): boolean {
  return Object.keys(value).every((field) => fields.includes(field));
}

function isString(value: unknown, max: number): value is string {
  return typeof value === 'string' && value.length > 0 && value.length <= max;
}

function isList(value: unknown, min: number, max: number): value is readonly unknown[] {
  return Array.isArray(value) && value.length >= min && value.length <= max;
}
