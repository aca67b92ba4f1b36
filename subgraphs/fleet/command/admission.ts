import type { Asked } from '#platform/admission/admission.js';

import { CommandKind } from './command.kinds.js';

/** A command, as far as policies may have something against it. */
export function askedCommand(
  { command, params }: { command: CommandKind; params?: Record<string, unknown> | null | undefined },
  instanceIds: readonly string[],
): Asked {
  const isUpdate = command === CommandKind.UPDATE;
  return {
    subject: 'INSTANCE_COMMAND',
    action: `command.${command.toLowerCase()}`,
    instanceIds,
    facts: isUpdate ? { 'cloud_os.version': params?.['version'] } : {},
    isChange: isUpdate,
    sentence: 'this be done',
  };
}
