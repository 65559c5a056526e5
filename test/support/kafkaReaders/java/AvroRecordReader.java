import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.avro.Schema;
import org.apache.avro.SchemaNormalization;
import org.apache.avro.generic.GenericDatumReader;
import org.apache.avro.generic.GenericRecord;
import org.apache.avro.io.BinaryDecoder;
import org.apache.avro.io.DecoderFactory;

/**
 * Apache Avro's generic reader. Arguments: a file with the schema, and how many bytes of framing come before each record. The first
 * line is the SHA-256 fingerprint of the schema's canonical form. A record's line has the branch of each value of the two images.
 */
public final class AvroRecordReader {
    public static void main(String[] args) throws Exception {
        Schema schema = new Schema.Parser().parse(Files.readString(Path.of(args[0])));
        int framing = Integer.parseInt(args[1]);
        System.out.println(
                "{\"fingerprint\":\"" + JsonLines.hex(SchemaNormalization.parsingFingerprint("SHA-256", schema)).substring(2) + "\"}");
        System.out.flush();
        GenericDatumReader<GenericRecord> reader = new GenericDatumReader<>(schema);
        JsonLines.run(
                record -> {
                    BinaryDecoder decoder = DecoderFactory.get().binaryDecoder(record, framing, record.length - framing, null);
                    Object read = plain(reader.read(null, decoder));
                    if (!decoder.isEnd()) throw new IllegalStateException("bytes are left behind the record");
                    return read;
                });
    }

    private static Object plain(Object value) {
        if (value instanceof GenericRecord) {
            GenericRecord record = (GenericRecord) value;
            Map<String, Object> fields = new LinkedHashMap<>();
            boolean named = !List.of("Record", "Source", "Field").contains(record.getSchema().getName());
            for (Schema.Field field : record.getSchema().getFields()) fields.put(field.name(), plain(record.get(field.pos())));
            return named ? JsonLines.object(record.getSchema().getName(), fields) : fields;
        }
        if (value instanceof Map) {
            Map<String, Object> entries = new LinkedHashMap<>();
            ((Map<?, ?>) value).forEach((name, entry) -> entries.put(String.valueOf(name), plain(entry)));
            return entries;
        }
        if (value instanceof Iterable) {
            List<Object> items = new ArrayList<>();
            for (Object item : (Iterable<?>) value) items.add(plain(item));
            return items;
        }
        if (value instanceof ByteBuffer) {
            ByteBuffer bytes = ((ByteBuffer) value).duplicate();
            byte[] copy = new byte[bytes.remaining()];
            bytes.get(copy);
            return JsonLines.hex(copy);
        }
        return value;
    }
}
