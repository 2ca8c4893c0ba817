/** A real browser, for mails as they are seen. */
import chromium from '@sparticuz/chromium';
import { chromium as playwright } from 'playwright-core';
import type { Browser, Page } from 'playwright-core';

export const schemes = ['light', 'dark'] as const;
/** A phone's and a desktop window's, in CSS pixels. */
export const widths = [375, 800] as const;

export interface View {
  readonly scheme: (typeof schemes)[number];
  readonly width: number;
}

export const views: readonly View[] = schemes.flatMap((scheme) => widths.map((width) => ({ scheme, width })));

export async function openBrowser(): Promise<Browser> {
  // In a single process the browser ends with its first context.
  const args = chromium.args.filter((arg) => arg !== '--single-process');
  return playwright.launch({ args, executablePath: await chromium.executablePath() });
}

/** A page that looks so. To be closed by its context. */
export async function openPage(browser: Browser, { scheme, width }: View): Promise<Page> {
  const viewport = { width, height: 700 };
  const context = await browser.newContext({ viewport, colorScheme: scheme });
  return context.newPage();
}
