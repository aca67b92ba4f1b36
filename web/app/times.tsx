import { Choice } from '../parts/field.tsx';
import { useStore } from '../parts/store.ts';
import { showTimes, timesShown, type Times } from '../parts/time.tsx';

const options = [
  { value: 'told', text: 'As people say them' },
  { value: 'exact', text: 'Exact' },
] as const;

/** How moments are shown, for whoever compares them; remembered for this browser. */
export function TimesChoice() {
  return <Choice<Times> label="Times" value={useStore(timesShown)} options={options} onChange={showTimes} />;
}
