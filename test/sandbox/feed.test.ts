import { describe, expect, it } from 'vitest';
import { createFeed } from '../../src/sandbox/feed.ts';

describe('createFeed', () => {
  it('finds what came and waits for what comes', async () => {
    const feed = createFeed<number>();
    feed.push(1);
    expect(await feed.first((n) => n === 1)).toBe(1);
    const three = feed.first((n) => n === 3);
    const all = feed.atLeast(3);
    feed.push(2);
    feed.push(3);
    expect(await three).toBe(3);
    expect(await all).toEqual([1, 2, 3]);
  });

  it('waits no longer than its signal lets it', async () => {
    const feed = createFeed<number>();
    const stop = new AbortController();
    const waiting = feed.atLeast(1, stop.signal);
    stop.abort(new Error('enough'));
    await expect(waiting).rejects.toThrow('enough');
  });

  it('tells listeners until they stop', () => {
    const feed = createFeed<number>();
    const heard: number[] = [];
    const stop = feed.subscribe((n) => heard.push(n));
    feed.push(1);
    stop();
    feed.push(2);
    expect(heard).toEqual([1]);
  });
});
