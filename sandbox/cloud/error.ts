/** What a provider answers instead of what was asked for. */
export class CloudError extends Error {
  constructor(
    readonly status: number,
    message: string,
    readonly body: object,
    readonly headers: Readonly<Record<string, string>> = {},
  ) {
    super(message);
  }
}
