import { UpdatePlacementDocument, type PlacementsQuery } from '../generated/graphql.ts';
import { changedOf } from '../parts/changed.ts';
import { FormDialog } from '../parts/form-dialog.tsx';
import { textOf } from '../parts/form.ts';
import { ImageFields } from './image-fields.tsx';

interface ChangePlacementProps {
  /** As it was when editing began. */
  placement: PlacementsQuery['placements']['nodes'][number];
  onClose: () => void;
  onDone: () => void;
}

/** Another image or number of replicas, which is rolled out from the first partition on. */
export function ChangePlacement({ placement, onClose, onDone }: ChangePlacementProps) {
  const { id, name, image, replicas } = placement;
  return (
    <FormDialog
      title={`Change ${name}`}
      document={UpdatePlacementDocument}
      variables={(form) => ({
        id,
        input: changedOf(
          { image, replicas },
          { image: textOf(form, 'image'), replicas: Number(form.get('replicas')) },
        ),
      })}
      submit="Change it"
      done={`${name} is being changed, from its first partition on.`}
      onDone={onDone}
      onClose={onClose}
    >
      <ImageFields image={image} replicas={replicas} />
    </FormDialog>
  );
}
