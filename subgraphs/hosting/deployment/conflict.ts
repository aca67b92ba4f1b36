import { headOf } from '#platform/cut-text.js';
import { ApiError, invalid } from '#platform/errors.js';
import { mended } from '#platform/mended-text.js';

import type { Cause, KubeError } from '../cluster/api/kube-error.js';

/** A field that somebody else owns. */
export interface FieldConflict {
  manager: string;
  field: string;
}

/** What the API server says of conflicts of server-side apply; empty where it is about something else. */
export function conflictsIn(causes: readonly Cause[]): FieldConflict[] {
  return causes
    .filter(({ reason }) => reason === 'FieldManagerConflict')
    .map(({ message = '', field = '' }) => {
      // `conflict with "kubectl-set" with subresource "scale" using apps/v1 at ...`
      const [, quoted] = /^conflict with ("(?:[^"\\]|\\.)*")/.exec(message) ?? [];
      return { manager: quoted === undefined ? message : unquoted(quoted), field };
    });
}

/** Go quotes as JSON does, but for what is not printable (`\x7f`, `\a`): that stays as it is written. */
function unquoted(quoted: string): string {
  try {
    return mended(JSON.parse(quoted) as string);
  } catch {
    return quoted.slice(1, -1);
  }
}

/** What it is to whoever asked for something that the cluster does not do. */
export function refusalOf(error: KubeError): ApiError {
  const conflicts = conflictsIn(error.options.causes ?? []);
  if (conflicts.length > 0) {
    const told = conflicts.map(({ manager, field }) => `${field} (${manager})`).join(', ');
    return new ApiError('CONFLICT', `Others own fields that this would change: ${told}`, {
      reason: 'FIELD_CONFLICT',
      details: { conflicts },
      cause: error,
    });
  }
  switch (error.kind) {
    case 'INVALID':
      return new ApiError('VALIDATION_FAILED', 'Validation failed', {
        details: faultsOf(error),
        cause: error,
      });
    case 'NOT_FOUND':
      return invalid('input.namespace', error.message);
    case 'CONFLICT':
      return new ApiError('CONFLICT', error.message, { reason: 'CHANGED_MEANWHILE', cause: error });
    case 'FORBIDDEN':
      return new ApiError('CONFLICT', `The cluster does not let the panel do it: ${error.message}`, {
        reason: 'CLUSTER_REFUSED',
        cause: error,
      });
    case 'UNAUTHORIZED':
      return new ApiError('CONFLICT', 'The cluster does not take its credential: updateCluster replaces it', {
        reason: 'CREDENTIAL_REFUSED',
        cause: error,
      });
    case 'UNREACHABLE':
    case 'TARGET_REFUSED':
    case 'CERTIFICATE':
    case 'EXPIRED':
    case 'TOO_LARGE':
    case 'OTHER_CLUSTER':
    case 'RATE_LIMITED':
    case 'FAILED':
      return new ApiError('UNAVAILABLE', `The cluster could not be asked: ${error.message}`, {
        reason: 'CLUSTER_AWAY',
        retryAfterSeconds: 10,
        cause: error,
      });
  }
}

/** Fields of a deployment by the ones of the input that they come from. */
function faultsOf(error: KubeError): Record<string, string> {
  const causes = error.options.causes ?? [];
  const faults: Record<string, string> = {};
  for (const { field = '', message = error.message } of causes) {
    const input = /\.(image|env|ports)\b/.exec(field)?.[1] ?? /^spec\.(replicas)/.exec(field)?.[1];
    const name = input ?? (field.endsWith('name') ? 'name' : 'deployment');
    faults[`input.${name}`] ??= headOf(`The cluster refuses ${field}: ${message}`, 500);
  }
  if (causes.length === 0)
    faults['input.deployment'] = headOf(`The cluster refuses it: ${error.message}`, 500);
  return faults;
}
