begin read only;
set local role funes_admin;
set local hnsw.ef_search = 100;
set local hnsw.iterative_scan = relaxed_order;
set local hnsw.max_scan_tuples = 5000;
set local plan_cache_mode = force_custom_plan;
set local jit = off;
set local max_parallel_workers_per_gather = 0;

select
  query.n::text,
  hit.distance,
  "documents"."id",
  "documents"."user_id",
  "documents"."filename",
  "documents"."file_path",
  "documents"."file_type",
  "documents"."file_size",
  "documents"."content_hash",
  "documents"."total_chunks",
  "documents"."created_at",
  "documents"."processed_at",
  "documents"."updated_at",
  "documents"."metadata",
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
  unnest($1::vector[], $2::text[]) with ordinality as query (vector, text, n)
  cross join lateral (
    with
      best as materialized (
        select distinct
          on (document_id) id as chunk_id,
          document_id,
          user_id,
          distance
        from
          (
            with
              near as materialized (
                select
                  "document_chunks"."id",
                  "document_chunks"."document_id",
                  "document_chunks"."user_id",
                  "document_chunks"."embedding" <=> query.vector as distance
                from
                  "document_chunks"
                where
                  (
                    case
                      when "document_chunks"."embedding_model" = $3 then 1
                    end
                  ) is not null
                order by
                  distance,
                  "document_chunks"."id"
                limit
                  $4
              ),
              completed as materialized (
                select
                  *
                from
                  (
                    select
                      "document_chunks"."id",
                      "document_chunks"."document_id",
                      "document_chunks"."user_id",
                      "document_chunks"."embedding" <=> query.vector as distance
                    from
                      "document_chunks"
                    where
                      (
                        (
                          case
                            when "document_chunks"."embedding_model" = $5 then 1
                          end
                        ) is not null
                        and not (
                          select
                            count(*)
                          from
                            near
                        ) >= $6
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
          ) chunks
        order by
          document_id,
          distance,
          id
      ),
      completed as materialized (
        select
          *
        from
          (
            select distinct
              on (document_id) id as chunk_id,
              document_id,
              user_id,
              "document_chunks"."embedding" <=> query.vector as distance
            from
              "document_chunks"
            where
              (
                not (
                  select
                    count(*)
                  from
                    best
                  where
                    (distance, document_id) > ($10::float8, $11::bigint)
                ) >= $12
                and (
                  case
                    when "document_chunks"."embedding_model" = $13 then 1
                  end
                ) is not null
              )
            order by
              document_id,
              distance,
              id
          ) every_document
        where
          (distance, document_id) > ($14::float8, $15::bigint)
        order by
          distance,
          document_id
        limit
          $16
      ) (
        select
          *
        from
          best
        where
          (
            (
              select
                count(*)
              from
                best
              where
                (distance, document_id) > ($17::float8, $18::bigint)
            ) >= $19
            and (distance, document_id) > ($20::float8, $21::bigint)
          )
        order by
          distance,
          document_id
        limit
          $22
      )
    union all
    select
      *
    from
      completed
  ) as hit
  inner join "document_chunks" on (
    "document_chunks"."id" = hit.chunk_id
    and "document_chunks"."user_id" = hit.user_id
  )
  inner join "documents" on (
    "documents"."id" = hit.document_id
    and "documents"."user_id" = hit.user_id
  )
where
  1 / (
    select
      (coalesce(embedding_model, $23) = $24)::int
    from
      installation
  ) = 1
order by
  query.n asc,
  hit.distance asc,
  "documents"."id" asc;
