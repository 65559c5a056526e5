import com.aliyun.dts.subscribe.clients.record.DefaultUserRecord;
import com.aliyun.dts.subscribe.clients.record.OperationType;
import com.aliyun.dts.subscribe.clients.record.RecordField;
import com.aliyun.dts.subscribe.clients.record.RecordSchema;
import com.aliyun.dts.subscribe.clients.record.RowImage;
import com.aliyun.dts.subscribe.clients.record.value.Value;
import com.aliyun.dts.subscribe.clients.recordgenerator.AvroDeserializer;
import java.util.LinkedHashMap;
import java.util.Map;
import org.apache.kafka.common.TopicPartition;

/** The vendor's own client (com.aliyun.dts:dts-new-subscribe-sdk). Values are printed as its classes print them. */
public final class DtsSdkReader {
    public static void main(String[] args) throws Exception {
        AvroDeserializer deserializer = new AvroDeserializer();
        TopicPartition partition = new TopicPartition("records", 0);
        JsonLines.run(
                bytes -> {
                    DefaultUserRecord record = new DefaultUserRecord(partition, 0, deserializer.deserialize(bytes), null);
                    if (record.getOperationType() == OperationType.DDL) {
                        return JsonLines.object(
                                "operation", "DDL", "ddl", String.valueOf(record.getAfterImage().getValue(0)));
                    }
                    RecordSchema schema = record.getSchema();
                    return JsonLines.object(
                            "operation", record.getOperationType().name(),
                            "database", schema.getDatabaseName().orElse(null),
                            "schema", schema.getSchemaName().orElse(null),
                            "table", schema.getTableName().orElse(null),
                            "primaryKey", schema.getPrimaryIndexInfo() == null
                                    ? null
                                    : schema.getPrimaryIndexInfo().getIndexFields().stream().map(RecordField::getFieldName).toList(),
                            "before", values(schema, record.getBeforeImage()),
                            "after", values(schema, record.getAfterImage()));
                });
    }

    private static Map<String, Object> values(RecordSchema schema, RowImage image) {
        if (image == null) return null;
        Map<String, Object> values = new LinkedHashMap<>();
        for (RecordField field : schema.getFields()) {
            Value<?> value = image.getValue(field);
            values.put(field.getFieldName(), value == null ? null : value.getType() + " " + value);
        }
        return values;
    }
}
