import { UpdatePlacementDocument, type PlacementsQuery } from '../generated/graphql.ts';
import { changedOf } from '../parts/changed.ts';
import { FormDialog } from '../parts/form-dialog.tsx';
import { textOf } from '../parts/form.ts';
import { changedVariablesOf, ImageFields, VariablesChange } from './image-fields.tsx';

interface ChangePlacementProps {
  /** As it was when editing began. */
  placement: PlacementsQuery['placements']['nodes'][number];
  onClose: () => void;
  onDone: () => void;
}

/** Another image, number of replicas or other variables, which is rolled out from the first partition on. */
export function ChangePlacement({ placement, onClose, onDone }: ChangePlacementProps) {
  const { id, name, image, replicas, envNames } = placement;
  return (
    <FormDialog
      title={`Change ${name}`}
      document={UpdatePlacementDocument}
      variables={(form) => {
        const filled = { image: textOf(form, 'image'), replicas: Number(form.get('replicas')) };
        return { id, input: { ...changedOf({ image, replicas }, filled), ...changedVariablesOf(form) } };
      }}
      submit="Change it"
      done={`${name} is being changed, from its first partition on.`}
      onDone={onDone}
      onClose={onClose}
    >
      <ImageFields image={image} replicas={replicas} />
      <VariablesChange names={envNames ?? []} />
    </FormDialog>
  );
}
