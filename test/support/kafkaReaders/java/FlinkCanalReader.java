import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.flink.formats.json.canal.CanalJsonDeserializationSchema;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.runtime.typeutils.InternalTypeInfo;
import org.apache.flink.table.types.logical.LogicalType;
import org.apache.flink.table.types.logical.RowType;
import org.apache.flink.table.types.logical.utils.LogicalTypeParser;
import org.apache.flink.table.types.utils.TypeConversions;
import org.apache.flink.util.Collector;

/** Apache Flink's canal-json format. Argument: the table's type, such as ROW<`id` BIGINT, `name` STRING>. */
public final class FlinkCanalReader {
    public static void main(String[] args) throws Exception {
        RowType type = (RowType) LogicalTypeParser.parse(args[0], FlinkCanalReader.class.getClassLoader());
        CanalJsonDeserializationSchema reader =
                CanalJsonDeserializationSchema.builder(
                                TypeConversions.fromLogicalToDataType(type), Collections.emptyList(), InternalTypeInfo.of(type))
                        .build();
        reader.open(null);
        JsonLines.run(
                record -> {
                    List<Object> rows = new ArrayList<>();
                    reader.deserialize(
                            record,
                            new Collector<RowData>() {
                                @Override
                                public void collect(RowData row) {
                                    rows.add(JsonLines.object("kind", row.getRowKind().shortString(), "row", values(row, type)));
                                }

                                @Override
                                public void close() {}
                            });
                    return JsonLines.object("rows", rows);
                });
    }

    private static Map<String, Object> values(RowData row, RowType type) {
        Map<String, Object> values = new LinkedHashMap<>();
        for (int at = 0; at < type.getFieldCount(); at++) {
            LogicalType fieldType = type.getTypeAt(at);
            Object value = RowData.createFieldGetter(fieldType, at).getFieldOrNull(row);
            values.put(type.getFieldNames().get(at), value == null ? null : String.valueOf(value));
        }
        return values;
    }
}
