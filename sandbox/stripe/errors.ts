export type ErrorType = 'api_error' | 'card_error' | 'idempotency_error' | 'invalid_request_error';

export interface ErrorFields {
  code?: string;
  decline_code?: string;
  advice_code?: string;
  param?: string;
  /** Resources that an error about a payment shows. */
  payment_intent?: object;
  payment_method?: object;
}

/** An answer that says no, in Stripe's form. */
export class StripeError extends Error {
  constructor(
    readonly status: number,
    readonly type: ErrorType,
    message: string,
    readonly fields: ErrorFields = {},
    /** Validation failed before anything was done: the answer is not kept for the request's idempotency key. */
    readonly isBeforeWork = false,
  ) {
    super(message);
  }

  body(requestId: string): object {
    const { code } = this.fields;
    return {
      error: {
        ...(code === undefined
          ? {}
          : { code, doc_url: `https://stripe.com/docs/error-codes/${code.replaceAll('_', '-')}` }),
        ...this.fields,
        message: this.message,
        request_log_url: `https://dashboard.stripe.com/test/logs/${requestId}`,
        type: this.type,
      },
    };
  }
}

/** 400: the request makes no sense as it is. */
export function invalid(message: string, param?: string, code?: string): StripeError {
  return new StripeError(400, 'invalid_request_error', message, {
    ...(code === undefined ? {} : { code }),
    ...(param === undefined ? {} : { param }),
  });
}

/** 404 for the resource in the path, 400 for one that a parameter names. */
export function missing(kind: string, id: string, param?: string): StripeError {
  return new StripeError(
    param === undefined ? 404 : 400,
    'invalid_request_error',
    `No such ${kind}: '${id}'`,
    {
      code: 'resource_missing',
      param: param ?? 'id',
    },
  );
}
