import type { FieldNode, GraphQLObjectType, SelectionSetNode } from 'graphql';

import { collectFields, type Conditions } from './collect.js';
import type { Select } from './completion.js';
import { compileField, type ExecuteField } from './field.js';
import { isPromise } from './promises.js';
import type { Definition } from './run.js';

/** What compiling an operation goes by, and how much came of it so far. */
export interface Compilation {
  definition: Definition;
  conditions: Conditions;
  /** Fields compiled: those of objects that no run has met yet are not among them. */
  fields: number;
  /** Fields with arguments. */
  slots: number;
}

export interface CompiledField {
  key: string;
  /** Absent where the type has no such field, which documents that were not validated may ask for. */
  execute: ExecuteField | undefined;
}

/** Compiles what is selected of an object, but not yet of those below it. Throws where a condition can not be read. */
export function compileFields(
  compilation: Compilation,
  type: GraphQLObjectType,
  selectionSets: readonly (SelectionSetNode | undefined)[],
): CompiledField[] {
  const { definition, conditions } = compilation;
  const collected = collectFields(definition, conditions, type, selectionSets);
  const fields: CompiledField[] = [];
  for (const [key, nodes] of collected) {
    const select = (found: GraphQLObjectType) => selectionOf(compilation, found, nodes);
    const nextSlot = () => compilation.slots++;
    const execute = compileField({ definition, parent: type, key, nodes, select, nextSlot });
    fields.push({ key, execute });
  }
  compilation.fields += fields.length;
  return fields;
}

function selectionOf(compilation: Compilation, type: GraphQLObjectType, nodes: readonly FieldNode[]): Select {
  const selectionSets = nodes.map(({ selectionSet }) => selectionSet);
  return executeTogether(compileFields(compilation, type, selectionSets));
}

type Answer = Record<string, unknown>;

/** Fields that may be executed side by side: all but those of a mutation itself. */
export function executeTogether(fields: readonly CompiledField[]): Select {
  const Made = plainObject();
  const known = fields.filter(({ execute }) => execute !== undefined);
  const keys = known.map(({ key }) => key);
  const executors = known.map(({ execute }) => execute!);
  return (run, source, path) => {
    const made = new Made();
    let hasPromises = false;
    try {
      for (let at = 0; at < executors.length; at += 1) {
        const value = executors[at]!(run, source, path);
        made[keys[at]!] = value;
        if (isPromise(value)) hasPromises = true;
      }
    } catch (error) {
      if (!hasPromises) throw error;
      // As graphql-js does: what was begun ends first.
      return whenAll(made).finally(() => {
        throw error;
      });
    }
    return hasPromises ? whenAll(made) : made;
  };
}

/** The fields of a mutation: each begins when the one before has ended. One that is not there takes its turn as well. */
export function executeInTurn(fields: readonly CompiledField[]): Select {
  return (run, source, path) => {
    let made: Answer | PromiseLike<Answer> = {};
    for (const { key, execute } of fields) {
      const put = (answer: Answer): Answer | PromiseLike<Answer> => {
        const value = execute?.(run, source, path);
        if (value === undefined) return answer;
        if (!isPromise(value)) {
          answer[key] = value;
          return answer;
        }
        return value.then((completed) => {
          answer[key] = completed;
          return answer;
        });
      };
      made = isPromise(made) ? made.then((answer) => put(answer as Answer)) : put(made);
    }
    return made;
  };
}

function whenAll(made: Answer): Promise<Answer> {
  return Promise.all(Object.values(made)).then((values) => {
    const answer: Answer = {};
    for (const [at, key] of Object.keys(made).entries()) answer[key] = values[at];
    return answer;
  });
}

/**
 * A constructor of plain objects that are alike: each selection has its own, so that the engine that runs this gives
 * its objects a form of their own at once.
 */
function plainObject(): new () => Answer {
  function Made() {}
  Made.prototype = Object.prototype;
  return Made as unknown as new () => Answer;
}
