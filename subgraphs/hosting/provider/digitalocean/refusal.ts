import { pauseOf, wordless, type Refusal } from '../api.js';
import { ProviderError, type ProviderErrorKind } from '../provider-error.js';
import { failure } from './wire.js';

const kinds: Readonly<Record<string, ProviderErrorKind>> = {
  unauthorized: 'UNAUTHORIZED',
  forbidden: 'READ_ONLY',
  not_found: 'NOT_FOUND',
  conflict: 'BUSY',
  too_many_requests: 'RATE_LIMITED',
};

/** What can not be done comes under one id, so that only its sentence tells why. */
const sentences: readonly (readonly [RegExp, ProviderErrorKind])[] = [
  [/not available/i, 'SOLD_OUT'],
  [/droplet limit/i, 'QUOTA'],
  [/pending event/i, 'BUSY'],
];

export function errorOf({ response, json }: Refusal): ProviderError {
  const told = failure.safeParse(json);
  if (!told.success) return wordless('DigitalOcean', response);
  const { id, message } = told.data;
  const said = sentences.find(([pattern]) => pattern.test(message))?.[1];
  const isRefusal = response.status === 422 || response.status === 403;
  const kind = (isRefusal ? said : undefined) ?? kinds[id] ?? (response.status >= 500 ? 'AWAY' : 'REFUSED');
  return new ProviderError(kind, `DigitalOcean: ${message} (${id})`, pauseOf(kind, response));
}
