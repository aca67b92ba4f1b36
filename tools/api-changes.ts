import { ChangeType, CriticalityLevel, diff, type Change, type Rule } from '@graphql-inspector/core';
import {
  buildSchema,
  isInputObjectType,
  isInterfaceType,
  isObjectType,
  isNonNullType,
  type GraphQLSchema,
} from 'graphql';
import { z } from 'zod';

/** One difference between the API that clients know and the one that the code has. */
export interface ApiChange {
  /** The schema coordinate, with dots: `Instance.name`, `Query.instances.first`. */
  path: string;
  /** What is different, in a sentence. */
  message: string;
}

/** A breaking change that was thought about. */
const decision = z.strictObject({
  path: z.string().min(1),
  message: z.string().min(1),
  /** Who it breaks and why that is right. */
  reason: z.string().trim().min(10, 'reason must say who is affected and why that is accepted'),
  /** When it became part of the published API: from then on it is history, and allows nothing more. */
  published: z.iso.date().optional(),
});

export type Decision = z.infer<typeof decision>;

export interface Comparison {
  /** Breaking changes that nobody has decided on. */
  undecided: ApiChange[];
  decided: ApiChange[];
  /** What may break some clients: told, not refused. */
  dangerous: ApiChange[];
  /** Decisions on changes that there are not. */
  unneeded: Decision[];
}

/** Throws with the place and the fault of what is no list of decisions. */
export function parseDecisions(text: string): Decision[] {
  const parsed = z.array(decision).safeParse(JSON.parse(text));
  if (parsed.success) return parsed.data;
  throw new Error(`decisions.json: ${z.prettifyError(parsed.error)}`);
}

/** Compares two APIs, both as SDL. Additions are nothing to tell of. */
export async function compareApis(
  published: string,
  current: string,
  decisions: readonly Decision[],
): Promise<Comparison> {
  const changes = await diff(buildSchema(published), buildSchema(current), [lostDefault]);
  const ofLevel = (level: CriticalityLevel): ApiChange[] =>
    changes
      .filter(({ criticality }) => criticality.level === level)
      .map(({ path, message }) => ({ path: path ?? '', message }));
  const breaking = ofLevel(CriticalityLevel.Breaking);
  const open = decisions.filter((decided) => decided.published === undefined);
  const isDecided = (change: ApiChange) => open.some((decided) => isSame(decided, change));
  return {
    undecided: breaking.filter((change) => !isDecided(change)),
    decided: breaking.filter(isDecided),
    dangerous: ofLevel(CriticalityLevel.Dangerous),
    unneeded: open.filter((decided) => !breaking.some((change) => isSame(decided, change))),
  };
}

/**
 * A required input that had a default could be left out, and without it can't. To graphql-inspector 8.0.0 that is any other
 * change of a default.
 */
const lostDefault: Rule = ({ changes, newSchema }) =>
  changes.map((change) =>
    newSchema && isLostDefault(change, newSchema)
      ? { ...change, criticality: { level: CriticalityLevel.Breaking } }
      : change,
  );

function isLostDefault({ type, meta, path }: Change, schema: GraphQLSchema): boolean {
  const isOfDefault =
    type === ChangeType.FieldArgumentDefaultChanged || type === ChangeType.InputFieldDefaultValueChanged;
  if (!isOfDefault || (meta as { newDefaultValue?: string }).newDefaultValue !== undefined) return false;
  const [typeName = '', fieldName = '', argumentName] = path?.split('.') ?? [];
  const parent = schema.getType(typeName);
  if (isInputObjectType(parent)) return isNonNullType(parent.getFields()[fieldName]?.type);
  if (!isObjectType(parent) && !isInterfaceType(parent)) return false;
  return isNonNullType(parent.getFields()[fieldName]?.args.find(({ name }) => name === argumentName)?.type);
}

function isSame(a: ApiChange, b: ApiChange): boolean {
  return a.path === b.path && a.message === b.message;
}

/** What keeps the current API from being the published one, in words; `undefined` when nothing does. */
export function refusal({ undecided, unneeded }: Comparison): string | undefined {
  const faults = [
    ...(undecided.length > 0
      ? [
          `These changes break clients of the published API:\n${lines(undecided)}\n` +
            'Keep what was there (and deprecate it), or record for each in schema/published/decisions.json its path, ' +
            'its message and the reason for it, and run "npm run schema".',
        ]
      : []),
    ...(unneeded.length > 0
      ? [`schema/published/decisions.json decides on changes that there are not:\n${lines(unneeded)}`]
      : []),
  ];
  return faults.length > 0 ? faults.join('\n') : undefined;
}

export function lines(changes: readonly ApiChange[]): string {
  return changes.map(({ path, message }) => `  ${path}: ${message}`).join('\n');
}
