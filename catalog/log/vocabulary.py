"""The words that a compression dictionary may learn: property names and enumerations of published schemas.

Anything else in an event may be a name, an address or a secret, and dictionaries outlive erasures.
"""

import re

_KEYS = """
eventType eventTime run job dataset inputs outputs producer schemaURL _producer _schemaURL _deleted runId
namespace name facets inputFacets outputFacets type version description parent root nominalTime
nominalStartTime nominalEndTime errorMessage message programmingLanguage stackTrace externalQuery
externalQueryId source extractionError totalTasks failedTasks errors task taskNumber processing_engine
openlineageAdapterVersion environmentVariables executionParameters parameters params jobDependencies
upstream downstream dependency_type sequence_trigger_rule status_trigger_rule test tests jobType
processingType integration emissionPattern eventTrigger eventContentMode ownership owners owner sourceCode
sourceCodeLocation language url repoUrl path tag tags branch pullRequestNumber sql query dialect
documentation contentType key value field fields schema dataSource uri datasetType subType storage
storageLayer fileFormat datasetVersion symlinks identifiers identifier lifecycleStateChange
previousIdentifier columnLineage inputFields transformations subtype masking transformationDescription
transformationType lineage entries catalog framework metadataUri warehouseUri catalogProperties hierarchy
ordinal_position subset inputCondition outputCondition locations partitions dimensions operator comparison
left right literal column base dataQualityMetrics rowCount bytes fileCount size lastUpdated columnMetrics
nullCount distinctCount sum count min max quantiles dataQualityAssertions assertions assertion success
severity expected actual content status inputStatistics outputStatistics windowDuration captureDate
spark_properties spark_version spark_jobDetails spark_applicationDetails spark.master spark.app.name jobId
jobDescription jobGroup masterUrl appName applicationId deployMode driverHost uiWebUrl historyUrl userName
airflow airflowDagRun airflowState dag dagRun dag_id run_id run_type conf data_interval_start
data_interval_end external_trigger start_date start_time end_time duration fileloc timetable
timetable_summary taskInstance try_number queued_dttm log_url pool queue retries task_id taskUuid
operator_class operator_class_path mapped inlets outlets priority_weight trigger_rule weight_rule
upstream_task_ids downstream_task_ids depends_on_past wait_for_downstream executor_config multiple_outputs
retry_exponential_backoff ignore_first_depends_on_past wait_for_past_depends_before_skipping emits_ol_events
is_setup is_teardown deferrable display_name dagRunState tasksState attributes dbt_version
unknownSourceAttribute unknownItems properties links lineward_model lineward_registry lineward_training lineward_input
lineward_evaluation lineward_serving lineward_predictions lineward_dataGovernance intendedUse outOfScopeUse
licence digest baseModel seed environmentDigest hardware compute role splitGroup kind slices metrics metric
threshold reportDigest endpoint environment country model share logging enabled schemaDigest retentionDays
oversight decisionMode window start end merkleRoot origin personalData specialCategories lawfulBasis
purposes retentionUntil storageCountry
"""

_VALUES = """
START RUNNING COMPLETE ABORT FAIL OTHER BATCH STREAMING SERVICE JOB TASK DAG COMMAND MODEL QUERY APPLICATION
SQL_JOB RDD_JOB SPARK AIRFLOW DBT FLINK TABLE VIEW TOPIC FILE SNAPSHOT SOURCE SEED STREAM MATERIALIZED
DIRECT INDIRECT IDENTITY TRANSFORMATION AGGREGATION MASKED JOIN GROUP_BY FILTER SORT WINDOW CONDITIONAL
ALTER CREATE DROP OVERWRITE RENAME TRUNCATE APPEND EVENT_BASED ACCUMULATIVE COMPLETE_SNAPSHOT PERIODIC
TRAINING EVALUATION INFERENCE training validation reference background primary canary shadow string String
STRING varchar VARCHAR text TEXT char int INT integer INTEGER Integer long LONG Long bigint BIGINT short
smallint SMALLINT tinyint double DOUBLE Double float FLOAT Float decimal DECIMAL numeric NUMERIC boolean
BOOLEAN Boolean bool date DATE Date time TIME timestamp TIMESTAMP Timestamp datetime DATETIME timestamp_ntz
binary BINARY bytes BYTES array ARRAY map MAP struct STRUCT record RECORD json JSON uuid UUID null file
local default python PYTHON java JAVA scala sql spark airflow dbt flink parquet delta iceberg csv json orc
avro git s3 bigquery snowflake postgres postgresql mysql hive kafka mlflow manual scheduled success failed
all_success cluster client
"""

KEYS = frozenset(_KEYS.split())
VALUES = frozenset(_VALUES.split())

_PUBLISHED_URL = re.compile(
    r"https://openlineage\.io/spec/(facets/)?\d{1,2}-\d{1,2}-\d{1,2}/OpenLineage\.json"
    r"(#/(\$defs|definitions)/(Run|Job|Dataset)Event)?"
    r"|https://github\.com/OpenLineage/OpenLineage/(tree|blob)/\d{1,2}\.\d{1,3}\.\d{1,2}/"
    r"(client/(python|java)|integration/(airflow|spark|dbt|flink|common|sql|hive))"
    r"|https://openlineage\.io/spec/facets/\d{1,2}-\d{1,2}-\d{1,2}/(?P<facet>\w{1,60})Facet\.json"
    r"(#/(\$defs|definitions)/(?P<definition>\w{1,60})Facet)?",
    re.ASCII,
)
_FACET = re.compile(
    "(ColumnLineage|Schema|Datasource|DatasetType|DatasetVersion|DataQualityAssertions|DataQualityMetrics"
    "|DataQualityMetricsInput|Documentation|EnvironmentVariables|ErrorMessage|ExecutionParameters|ExternalQuery"
    "|ExtractionError|Hierarchy|InputStatistics|InputSubset|OutputSubset|JobDependencies|JobType"
    "|LifecycleStateChange|NominalTime|OutputStatistics|Ownership|Parent|ProcessingEngine|SQL|SourceCode"
    "|SourceCodeLocation|Storage|Symlinks|Tags|Test|Catalog)(Run|Job|Dataset|InputDataset|OutputDataset)?"
)


def is_structural_key(text: str) -> bool:
    return text in KEYS


def is_structural_value(text: str) -> bool:
    """Whether a string value says something of the schema and nothing of anybody's data."""
    return text in VALUES or (text.startswith("https://") and _is_published_url(text))


def _is_published_url(text: str) -> bool:
    match = _PUBLISHED_URL.fullmatch(text)
    if match is None:
        return False
    return all(part is None or _FACET.fullmatch(part) for part in (match["facet"], match["definition"]))
