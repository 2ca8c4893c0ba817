import { noUsage, type Usage } from './series.ts';

/** Price of a model in micro-dollars per token, which is dollars per million tokens. */
export interface Price {
  readonly prompt: number;
  readonly completion: number;
}

/** The simulated vendor's models: names as the API's page has them, prices of that order. */
export const models = {
  'deepseek-r1-0528': { prompt: 2.2, completion: 5.25 },
  'qwen3-coder-480b': { prompt: 2, completion: 5.25 },
  'llama3-3-70b': { prompt: 1.75, completion: 2.75 },
  'gpt-oss-120b': { prompt: 0.75, completion: 1.25 },
} as const satisfies Record<string, Price>;

export type Model = keyof typeof models;

/** Tokens as usage, priced; rounded once to a whole micro-dollar. */
export function priced(
  model: Model,
  promptTokens: number,
  completionTokens: number,
  requests: number,
): Usage {
  const { prompt, completion } = models[model];
  const costMicroUsd = Math.round(promptTokens * prompt + completionTokens * completion);
  return { ...noUsage, costMicroUsd, promptTokens, completionTokens, requests };
}
