/**
 * The limits of Slack's incoming webhooks and blocks, as
 * https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks and
 * https://docs.slack.dev/reference/block-kit/blocks have them.
 */
import { isRecord } from './receivers.ts';

/** How Slack refuses a message: the whole body of its answer. */
export type SlackRefusal = 'invalid_payload' | 'no_text' | 'msg_too_long' | 'invalid_blocks';

const maxText = 40_000;
const maxBlocks = 50;

/** Null: Slack takes it. */
export function refusalOf(message: unknown): SlackRefusal | null {
  if (!isRecord(message)) return 'invalid_payload';
  const { text, blocks } = message;
  if (text !== undefined && typeof text !== 'string') return 'invalid_payload';
  if (blocks === undefined) return (text ?? '') === '' ? 'no_text' : tooLong(text);
  if (!Array.isArray(blocks)) return 'invalid_blocks';
  if (blocks.length === 0 && (text ?? '') === '') return 'no_text';
  if (blocks.length > maxBlocks) return 'invalid_blocks';
  return blocks.every(isBlock) ? tooLong(text) : 'invalid_blocks';
}

function tooLong(text: string | undefined): SlackRefusal | null {
  return (text ?? '').length > maxText ? 'msg_too_long' : null;
}

type Block = Readonly<Record<string, unknown>>;

const blockChecks: Readonly<Record<string, (block: Block) => boolean>> = {
  section: isSection,
  header: ({ text }) => isText(text, 150, ['plain_text']),
  context: ({ elements }) => isList(elements, 1, 10) && elements.every(isContextElement),
  divider: () => true,
  image: ({ alt_text: alt, image_url: url }) => isString(alt, 2_000) && isString(url, 3_000),
  actions: ({ elements }) => isList(elements, 1, 25) && elements.every(isRecord),
  markdown: ({ text }) => isString(text, 12_000),
  rich_text: ({ elements }) => isList(elements, 1, Infinity) && elements.every(isRecord),
};

function isBlock(block: unknown): boolean {
  if (!isRecord(block) || typeof block['type'] !== 'string') return false;
  const { type, block_id: id } = block;
  if (id !== undefined && !isString(id, 255)) return false;
  return Object.hasOwn(blockChecks, type) && blockChecks[type]?.(block) === true;
}

function isSection({ text, fields }: Block): boolean {
  if (text === undefined && fields === undefined) return false;
  if (text !== undefined && !isText(text, 3_000)) return false;
  return fields === undefined || (isList(fields, 1, 10) && fields.every((field) => isText(field, 2_000)));
}

function isContextElement(element: unknown): boolean {
  if (!isRecord(element)) return false;
  return element['type'] === 'image' ? blockChecks['image']?.(element) === true : isText(element, 3_000);
}

/** A text object; Slack refuses an empty one. */
function isText(value: unknown, max: number, types: readonly string[] = ['plain_text', 'mrkdwn']): boolean {
  return isRecord(value) && types.includes(String(value['type'])) && isString(value['text'], max);
}

function isString(value: unknown, max: number): value is string {
  return typeof value === 'string' && value.length > 0 && value.length <= max;
}

function isList(value: unknown, min: number, max: number): value is readonly unknown[] {
  return Array.isArray(value) && value.length >= min && value.length <= max;
}
