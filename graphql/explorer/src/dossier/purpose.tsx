import { legible } from '../words';
import { type Evidence, factsByPointer, type Subject } from './evidence';
import { Line, List, NotKnown } from './said';

type Text = { [Name in keyof Subject]-?: NonNullable<Subject[Name]> extends string ? Name : never }[keyof Subject];
type Texts = { [Name in keyof Subject]-?: NonNullable<Subject[Name]> extends string[] ? Name : never }[keyof Subject];

/** What it is for, may be used for, and who answers for it; the last four only where somebody said them. */
export function Purpose({ evidence }: { evidence: Evidence }) {
  const { subject } = evidence;
  const facts = factsByPointer(evidence);
  const text = (name: Text, label: string) => <Line name={label} fact={facts.get(`/subject/${name}`)}>{subject[name] && <bdi>{legible(subject[name])}</bdi>}</Line>;
  const texts = (name: Texts, label: string) => <Line name={label} fact={facts.get(`/subject/${name}`)}>{subject[name]?.length ? <List of={subject[name]} /> : null}</Line>;
  return (
    <dl className="facts">
      {text('intendedPurpose', 'Intended purpose')}
      {texts('approvedUses', 'Approved uses')}
      {subject.restrictedUses?.length ? texts('restrictedUses', 'Ruled out') : null}
      {text('riskTier', 'Risk tier')}
      {text('owner', 'Owner')}
      {subject.ownerUnit && text('ownerUnit', 'Unit')}
      <Line name="Developed by">
        {(subject.developedBy?.length || subject.unknownDevelopers?.length) && (
          <>
            <List of={[...(subject.developedBy ?? []), ...(subject.unknownDevelopers ?? [])]} />
            {subject.unknownDevelopers?.length && <> <NotKnown what={subject.developedBy?.length ? 'not all are people we know' : 'nobody that we know'} /></>}
          </>
        )}
      </Line>
      {text('task', 'Task')}
      {text('framework', 'Framework')}
      {text('licence', 'Licence')}
      {subject.useCase && text('useCase', 'Use case')}
      {subject.jurisdictions?.length ? texts('jurisdictions', 'Used in') : null}
      {subject.materialityTier && text('materialityTier', 'Materiality')}
      {subject.baseModel && text('baseModel', 'Made from')}
    </dl>
  );
}
