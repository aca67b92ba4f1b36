import { domainToASCII } from 'node:url';

import { z } from 'zod';

// Letters, digits, marks, hyphens, underscores and the dots of all scripts. domainToASCII reads what it is given as the
// beginning of a URL: of `example.com/x` it makes `example.com`, another address than the one that was typed.
const domainForm = /^[\p{L}\p{N}\p{M}\-_.\u3002\uff0e\uff61]+$/u;

/**
 * An address as it is stored and compared: without spaces around it, its domain in ASCII (RFC 5891), in lower case and
 * without the dot that ends a fully qualified name. What is no address comes back as it was, without the spaces.
 */
export function normalEmail(text: string): string {
  const trimmed = text.trim();
  const at = trimmed.lastIndexOf('@');
  const domain = trimmed.slice(at + 1);
  if (at < 1 || !domainForm.test(domain)) return trimmed;
  const ascii = domainToASCII(domain).replace(/\.$/, '');
  return ascii === '' ? trimmed : `${trimmed.slice(0, at)}@${ascii}`;
}

/** An e-mail address of an input, in its normal form. */
export const emailAddress = z
  .string()
  .transform(normalEmail)
  .pipe(z.email('Email must be an e-mail address').max(254, 'Email must have at most 254 characters'));
