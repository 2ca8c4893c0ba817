/**
 * A value that must never be written anywhere: an API key, the admin key, a webhook URL, a password.
 * Every way a value usually reaches a log (`String`, JSON, `util.inspect`) yields a placeholder;
 * only `reveal()` yields the value, and only the code that puts it on the wire calls that.
 */
export class Secret {
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
  }

  reveal(): string {
    return this.#value;
  }

  toString(): string {
    return '[secret]';
  }

  toJSON(): string {
    return '[secret]';
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return '[secret]';
  }
}
