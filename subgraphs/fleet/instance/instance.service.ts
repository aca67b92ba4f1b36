import { raw } from '@mikro-orm/core';
import DataLoader from 'dataloader';

import { notFound } from '#platform/errors.js';
import type { Operation } from '#platform/subgraph/operation.js';
import { pageWindow, toPage, type Page, type PageArgs } from '#platform/subgraph/paging.js';

import { Instance } from './instance.entity.js';
import type { InstanceFilter } from './instance.inputs.js';
import { statusSql } from './instance.status.js';

/** Reads of instances. */
export class InstanceService {
  /** An instance of the viewer's tenant; a foreign one is NOT_FOUND, like one that never was. */
  async get(operation: Operation, id: string): Promise<Instance> {
    const instance = await this.find(operation, id);
    if (!instance) throw notFound('Instance');
    return instance;
  }

  /** The same, or null; lookups of one operation are read together. */
  async find(operation: Operation, id: string): Promise<Instance | null> {
    const loader = operation.once(InstanceService, () => {
      return new DataLoader<string, Instance | null>(async (ids) => {
        const found = await operation.em.find(Instance, {
          tenantId: operation.tenantId,
          id: { $in: [...ids] },
        });
        const byId = new Map(found.map((instance) => [instance.id, instance]));
        return ids.map((wanted) => byId.get(wanted) ?? null);
      });
    });
    return loader.load(id);
  }

  /** Instances in the order they enrolled. */
  async page(
    operation: Operation,
    args: PageArgs,
    filter: InstanceFilter | null | undefined,
  ): Promise<Page<Instance>> {
    const window = pageWindow(args);
    const matching = {
      tenantId: operation.tenantId,
      ...(filter?.status ? { [raw(statusSql, [operation.clock.now()])]: filter.status } : {}),
      ...(filter?.q ? { $or: [{ name: contains(filter.q) }, { hostname: contains(filter.q) }] } : {}),
    };
    const rows = await operation.em.find(
      Instance,
      { $and: [matching, window.after === undefined ? {} : { id: { $gt: window.after } }] },
      { orderBy: { id: 'asc' }, limit: window.size + 1 },
    );
    return toPage(rows, window, () => operation.em.count(Instance, matching));
  }
}

function contains(text: string): { $ilike: string } {
  return { $ilike: `%${text.replace(/[\\%_]/g, String.raw`\$&`)}%` };
}
