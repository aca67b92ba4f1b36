import { UniqueConstraintViolationException } from '@mikro-orm/core';

import { ApiError } from '#platform/errors.js';

/** The unique index on e-mail addresses decides between two who want the same one; its loser gets CONFLICT. */
export async function emailTakenInstead<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof UniqueConstraintViolationException)) throw error;
    throw emailTaken();
  }
}

export function emailTaken(): ApiError {
  return new ApiError('CONFLICT', 'An account with this e-mail address exists', { reason: 'EMAIL_TAKEN' });
}
