begin read only;
set local role funes_admin;
set local hnsw.ef_search = 100;
set local hnsw.iterative_scan = relaxed_order;
set local hnsw.max_scan_tuples = 5000;
set local plan_cache_mode = force_custom_plan;
set local jit = off;
set local max_parallel_workers_per_gather = 0;

select
  1::bigint::text,
  hit.distance,
  "document_chunks"."id",
  "document_chunks"."user_id",
  "document_chunks"."document_id",
  "document_chunks"."chunk_index",
  "document_chunks"."total_chunks",
  "document_chunks"."content",
  "document_chunks"."content_summary",
  "document_chunks"."embedding_model",
  "document_chunks"."embedding_source",
  "document_chunks"."embedding_error",
  "document_chunks"."chunk_size",
  "document_chunks"."overlap_size",
  "document_chunks"."start_offset",
  "document_chunks"."end_offset",
  "document_chunks"."metadata",
  "document_chunks"."created_at",
  case
    when "document_chunks"."embedding_error" is not null then 'FAILED'
    when "document_chunks"."embedding" is null then 'PENDING'
    when (
      "document_chunks"."embedding_source" = 'FUNES'
      and "document_chunks"."embedding_model" <> (
        select
          coalesce(generation.next_embedding_model, generation.embedding_model)
        from
          "installation" as generation
        where
          generation.only
      )
    ) then 'STALE'
    else 'READY'
  end
from
  (
    with
      breadth as materialized (
        select
          count(*) filter (
            where
              ("document_chunks"."document_id", "document_chunks"."user_id") in (
                select
                  "documents"."id",
                  "documents"."user_id"
                from
                  "documents"
                where
                  "documents"."filename" = $1::text
              )
          ) * 20 >= count(*) as broad
        from
          "document_chunks" tablesample system (least(100, 100.0 * 250 * 8192 / greatest(pg_relation_size('document_chunks'), 1))) repeatable (0)
      ),
      near as materialized (
        select
          "document_chunks"."id",
          "document_chunks"."user_id",
          "document_chunks"."embedding" <=> $2::vector as distance
        from
          "document_chunks"
        where
          (
            (
              case
                when "document_chunks"."embedding_model" = $3::text then 1
              end
            ) is not null
            and (
              (
                select
                  broad
                from
                  breadth
              )
              and ("document_chunks"."document_id", "document_chunks"."user_id") in (
                select
                  "documents"."id",
                  "documents"."user_id"
                from
                  "documents"
                where
                  case
                    when "documents"."filename" = $4::text then true
                  end
              )
            )
          )
        order by
          distance,
          "document_chunks"."id"
        limit
          $5
      ),
      completed as materialized (
        select
          *
        from
          (
            select
              "document_chunks"."id",
              "document_chunks"."user_id",
              "document_chunks"."embedding" <=> $2::vector as distance
            from
              "document_chunks"
            where
              (
                (
                  case
                    when "document_chunks"."embedding_model" = $3::text then 1
                  end
                ) is not null
                and (
                  not (
                    select
                      count(*)
                    from
                      near
                  ) >= $6
                  and ("document_chunks"."document_id", "document_chunks"."user_id") in (
                    select
                      "documents"."id",
                      "documents"."user_id"
                    from
                      "documents"
                    where
                      "documents"."filename" = $1::text
                  )
                )
              )
          ) candidate
        order by
          distance + 0,
          id
        limit
          $7
      ) (
        select
          *
        from
          near
        where
          (
            select
              count(*)
            from
              near
          ) >= $8
        order by
          distance,
          id
        limit
          $9
      )
    union all
    select
      *
    from
      completed
  ) as hit
  inner join "document_chunks" on (
    "document_chunks"."id" = hit."id"
    and "document_chunks"."user_id" = hit."user_id"
  )
where
  1 / (
    select
      (coalesce(embedding_model, $3::text) = $3::text)::int
    from
      installation
  ) = 1
order by
  1::bigint asc,
  hit.distance asc,
  "document_chunks"."id" asc;
