import { z } from 'zod';

import type { TableName, Tables } from '../store/stored.js';
import type { World } from '../world.js';
import { pageParameters } from './form.js';
import { inPath, operation, page, type Operation, type PageRequest } from './operation.js';

/** GET of one resource by its id. */
export function retrieval(table: TableName, path: string): Operation {
  return operation('GET', `${path}/:id`, z.strictObject({ expand: pageParameters.expand }), (world, _, at) =>
    inPath(world, table, at),
  );
}

/** GET of a table's rows that pass the filters, in pages. */
export function listing<Name extends TableName, Shape extends z.core.$ZodLooseShape>(
  table: Name,
  path: string,
  filters: Shape,
  passes: (row: Tables[Name], filters: z.infer<z.ZodObject<Shape, z.core.$strict>>, world: World) => boolean,
): Operation {
  const parameters = z.strictObject({ ...pageParameters, ...filters });
  return operation('GET', path, parameters, (world, given) => {
    const rows = world.store
      .all(table)
      .filter((row) => passes(row, given as z.infer<z.ZodObject<Shape, z.core.$strict>>, world));
    return page(path, rows, given as PageRequest);
  });
}
