import { pauseOf, wordless, type Refusal } from '../api.js';
import { ProviderError, type ProviderErrorKind } from '../provider-error.js';
import { failure } from './wire.js';

/** What Hetzner's codes mean for whoever asked. Codes that are not here are judged by their status. */
const kinds: Readonly<Record<string, ProviderErrorKind>> = {
  unauthorized: 'UNAUTHORIZED',
  forbidden: 'UNAUTHORIZED',
  token_readonly: 'READ_ONLY',
  uniqueness_error: 'NAME_TAKEN',
  resource_unavailable: 'SOLD_OUT',
  placement_error: 'SOLD_OUT',
  resource_limit_exceeded: 'QUOTA',
  not_found: 'NOT_FOUND',
  conflict: 'BUSY',
  locked: 'BUSY',
  rate_limit_exceeded: 'RATE_LIMITED',
  maintenance: 'AWAY',
};

export function errorOf({ response, json }: Refusal): ProviderError {
  const told = failure.safeParse(json);
  if (!told.success) return wordless('Hetzner', response);
  const { code, message, details } = told.data.error;
  const [field] = details?.fields ?? [];
  const words = field ? `${message}${field.messages?.[0] ? `: ${field.messages[0]}` : ''}` : message;
  const kind = kinds[code] ?? (response.status >= 500 ? 'AWAY' : 'REFUSED');
  return new ProviderError(kind, `Hetzner: ${words} (${code})`, {
    ...(field === undefined ? {} : { field: field.name }),
    ...pauseOf(kind, response),
  });
}
