#!/bin/bash
# One of Kafka's commands: which class it is says its name.
set -eu
case $(basename "$0") in
    kafka-server-start.sh) class=kafka.Kafka ;;
    kafka-storage.sh) class=kafka.tools.StorageTool ;;
    kafka-configs.sh) class=kafka.admin.ConfigCommand ;;
    kafka-broker-api-versions.sh) class=org.apache.kafka.tools.BrokerApiVersionsCommand ;;
    kafka-topics.sh) class=org.apache.kafka.tools.TopicCommand ;;
    kafka-acls.sh) class=org.apache.kafka.tools.AclCommand ;;
    kafka-consumer-groups.sh) class=org.apache.kafka.tools.consumer.group.ConsumerGroupCommand ;;
    kafka-reassign-partitions.sh) class=org.apache.kafka.tools.reassign.ReassignPartitionsCommand ;;
    kafka-features.sh) class=org.apache.kafka.tools.FeatureCommand ;;
esac
if [ "$class" = kafka.Kafka ]; then
    flags='-XX:+UseG1GC -XX:MaxGCPauseMillis=20 -XX:InitiatingHeapOccupancyPercent=35'
else
    flags='-XX:+UseSerialGC -XX:TieredStopAtLevel=1'
fi
# The heap of the broker is given to its tools too: what the image's own scripts do.
# shellcheck disable=SC2086
exec /opt/java/openjdk/bin/java ${KAFKA_HEAP_OPTS:--Xmx256m} $flags ${KAFKA_OPTS:-} \
    -cp '/opt/kafka/libs/*' "$class" "$@"
